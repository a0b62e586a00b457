package docs

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"swarmfs/test/harness"
)

var update = flag.Bool("update", false, "write the output of the tour into the README")

// Where the README says that things are.
const (
	documentedMount = "/mnt/swarm"
	documentedHome  = "/root"
)

const (
	tourLimit  = 5 * time.Minute // it compiles the program twice
	leaveLimit = time.Minute
)

// tour is a fresh machine: a copy of the source, an empty home directory and a mount point.
type tour struct {
	checkout, home, mount string
}

// TestTour runs the commands of the README's tour, one after the other in one shell, and compares what they
// print with what the README shows. What differs from run to run, such as times and process numbers, need
// only look alike.
func TestTour(t *testing.T) {
	harness.RequireFUSE(t)
	for program, debianPackage := range map[string]string{
		"make": "make", "git": "git", "tar": "tar", "sqlite3": "sqlite3", "getfattr": "attr", "diff": "diffutils",
	} {
		harness.RequireProgram(t, program, debianPackage)
	}
	readme := read(t, "README.md")
	steps := tourSteps(t, readme)
	outputs := newTour(t).run(t, steps)
	if *update {
		writeTour(t, readme, steps, outputs)
		return
	}
	for i, s := range steps {
		if got, want := shape(outputs[i]), shape(s.output); got != want {
			t.Errorf("$ %s\nprints\n%s\nnot, as in the README,\n%s", s.command, outputs[i], s.output)
		}
	}
}

// step is a command and what it prints. The lines of both are those of the README.
type step struct {
	command     string
	output      string
	first, last int // lines of the output, [first, last)
}

// tourSteps reads the console blocks of the tour. A command begins with "$ " and goes on with "> ".
func tourSteps(t *testing.T, readme string) []step {
	t.Helper()
	before, _, _ := strings.Cut(readme, "\n## Tour\n")
	offset := strings.Count(before, "\n") + 2 // lines above the section's first
	var steps []step
	for _, b := range blocks(section(t, readme, "## Tour")) {
		if b.language != "console" {
			continue
		}
		for i, line := range b.lines {
			at := offset + b.first + i
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, step{command: command, first: at + 1, last: at + 1})
				continue
			}
			s := &steps[len(steps)-1]
			if more, ok := strings.CutPrefix(line, "> "); ok && s.output == "" {
				s.command += "\n" + more
				s.first++
			} else {
				s.output += line + "\n"
			}
			s.last = at + 1
		}
	}
	if len(steps) < 10 {
		t.Fatalf("the tour has only %d commands", len(steps))
	}
	return steps
}

// partOfTheSource is what the tour needs of the checkout.
var partOfTheSource = []string{"Makefile", "go.mod", "go.sum", "cmd", "fusefs", "swarmstore"}

func newTour(t *testing.T) *tour {
	t.Helper()
	base := t.TempDir()
	tr := &tour{filepath.Join(base, "checkout"), filepath.Join(base, "home"), filepath.Join(base, "mount")}
	for _, dir := range []string{tr.checkout, tr.home} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"-a"}
	for _, name := range partOfTheSource {
		args = append(args, filepath.Join(root, name))
	}
	if out, err := exec.Command("cp", append(args, tr.checkout)...).CombinedOutput(); err != nil {
		t.Fatalf("copying the source: %v\n%s", err, out)
	}
	t.Cleanup(func() { tr.leave(t) })
	return tr
}

// leave unmounts what a failed tour left mounted.
func (tr *tour) leave(t *testing.T) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Error(err)
	}
	if !strings.Contains(string(mounts), " "+tr.mount+" ") {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), leaveLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, harness.Binary(t), "umount", "--lazy", "--wait", tr.mount).CombinedOutput()
	t.Errorf("the tour left %s mounted; unmounting it: %v\n%s", tr.mount, err, out)
}

// endOfStep separates the outputs of the commands.
const endOfStep = "-- end of step, status "

// run runs the commands and returns what each printed, with the paths of the README.
func (tr *tour) run(t *testing.T, steps []step) []string {
	t.Helper()
	var script strings.Builder
	for _, s := range steps {
		command := strings.ReplaceAll(s.command, documentedMount, tr.mount)
		fmt.Fprintf(&script, "%s\necho '%s'$?\n", command, endOfStep)
	}
	ctx, cancel := context.WithTimeout(context.Background(), tourLimit)
	defer cancel()
	shell := exec.CommandContext(ctx, "bash", "-c", script.String())
	shell.Dir, shell.Env = tr.checkout, tr.environment(t)
	shell.WaitDelay = time.Second
	printed, err := shell.CombinedOutput()
	if err != nil {
		t.Fatalf("the tour ended early: %v\n%s", err, printed)
	}
	text := strings.NewReplacer(tr.mount, documentedMount, tr.home, documentedHome).Replace(string(printed))
	outputs := make([]string, len(steps))
	for i, s := range steps {
		output, rest, ok := strings.Cut(text, endOfStep)
		status, rest, _ := strings.Cut(rest, "\n")
		if !ok || status != "0" {
			t.Fatalf("$ %s\nended with status %q:\n%s", s.command, status, output)
		}
		outputs[i], text = output, rest
	}
	return outputs
}

// environment is that of a new user, but for the caches of the Go tool.
func (tr *tour) environment(t *testing.T) []string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE", "GOPATH").Output()
	if err != nil {
		t.Fatal(err)
	}
	values := strings.Split(strings.TrimSpace(string(out)), "\n")
	env := []string{
		"HOME=" + tr.home, "MOUNTPOINT=" + tr.mount, "LC_ALL=C", "TZ=UTC",
		"GOCACHE=" + values[0], "GOMODCACHE=" + values[1], "GOPATH=" + values[2],
	}
	for _, name := range []string{"PATH", "GOFLAGS", "GOPROXY", "GOTOOLCHAIN", "GOMAXPROCS", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// variable is what differs from run to run, the special forms before the general. Swarm references and
// topics are not among it: they follow from the bytes.
var variable = []struct {
	pattern *regexp.Regexp
	stands  string
}{
	{regexp.MustCompile(`0x[0-9a-f]{40}\b`), "ADDRESS"},
	{regexp.MustCompile(`main\.release=[^ ']+`), "main.release=VERSION"},
	{regexp.MustCompile(`(?m)^swarmfs version .*$`), "swarmfs version VERSION"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d\.\d+ [+-]\d{4})?`), "TIME"},
	{regexp.MustCompile(`[A-Z][a-z]{2} [ \d]\d (\d\d:\d\d| \d{4})`), "TIME"},
	{regexp.MustCompile(`started (now|[a-z0-9 ]+ ago)`), "started RECENTLY"},
	{regexp.MustCompile(`\b\d+(\.\d+)? [KMGT]?i?B\b`), "SIZE"},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ms|s)\b`), "DURATION"},
	{regexp.MustCompile(`\b(process|Inode:|inode) +\d+`), "$1 N"},
	{regexp.MustCompile(`\b\d[\d,]* (nodes|blocks?)\b`), "N $1"},
	{regexp.MustCompile(`(?m)^( +default +)\d+`), "${1}N"},
	{regexp.MustCompile(`(?m)^([-dl][-rwxst]{9} .* )\d+( TIME)`), "${1}N$2"},
	{regexp.MustCompile(`(?m)^\d+$`), "N"},
	{regexp.MustCompile(`[ \t]+`), " "},
}

// shape is an output without what differs from run to run.
func shape(output string) string {
	for _, v := range variable {
		output = v.pattern.ReplaceAllString(output, v.stands)
	}
	return strings.TrimSpace(output)
}

// writeTour puts new outputs into the README, from the last to the first so that line numbers stay right.
func writeTour(t *testing.T, readme string, steps []step, outputs []string) {
	t.Helper()
	lines := strings.Split(readme, "\n")
	for i := len(steps) - 1; i >= 0; i-- {
		var printed []string
		if outputs[i] != "" {
			printed = strings.Split(strings.TrimSuffix(outputs[i], "\n"), "\n")
		}
		tail := append(printed, lines[steps[i].last:]...)
		lines = append(lines[:steps[i].first:steps[i].first], tail...)
	}
	if err := os.WriteFile(filepath.Join(root, "README.md"), []byte(strings.Join(lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}
