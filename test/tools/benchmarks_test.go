package tools

import (
	"fmt"
	"strings"
	"testing"

	"swarmfs/test/harness"
)

// These programs measure, but they also fail when a call does: what they
// measured does not matter here.

func TestDbench(t *testing.T) {
	harness.RequireProgram(t, "dbench", "dbench")
	fs := mount(t)
	out := run(t, "", "dbench", "-c", "/usr/share/dbench/client.txt", "-D", fs.Dir, "-t", scaled("4", "60"), "4")
	if !strings.Contains(out, "Throughput") {
		t.Errorf("dbench did not finish:\n%s", tail(out))
	}
}

func TestBonnie(t *testing.T) {
	harness.RequireProgram(t, "bonnie++", "bonnie++")
	fs := mount(t)
	// -r 0 lets it take files smaller than twice the memory.
	// -f leaves out the pass that writes and reads byte by byte through stdio.
	run(t, "", "bonnie++", "-q", "-f", "-u", "root", "-d", fs.Dir, "-r", "0", "-s", scaled("32M", "1024M"), "-n", scaled("1", "16"))
}

func TestPostmark(t *testing.T) {
	harness.RequireProgram(t, "postmark", "postmark")
	fs := mount(t)
	out := command{args: []string{"postmark"}, stdin: fmt.Sprintf(
		"set location %s\nset number %d\nset transactions %d\nset size 100 200000\nset subdirectories 10\nrun\nquit\n",
		fs.Dir, scaled(200, 5000), scaled(1000, 50000))}.run(t)
	if strings.Contains(out, "Error") || !strings.Contains(out, "transactions") {
		t.Errorf("postmark failed:\n%s", tail(out))
	}
	if left := run(t, fs.Dir, "find", ".", "-type", "f"); left != "" {
		t.Errorf("postmark removes all its files, but there are still:\n%s", tail(left))
	}
}
