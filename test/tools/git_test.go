package tools

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"swarmfs/test/harness"
)

// A repository of thousands of commits can be cloned, checked, packed and
// checked out on a mount.
func TestGit(t *testing.T) {
	harness.RequireProgram(t, "git", "git")
	commits := scaled(1500, 10000)
	origin := filepath.Join(t.TempDir(), "origin.git")
	run(t, "", "git", "init", "-q", "--bare", "-b", "main", origin)
	command{dir: origin, stdin: history(commits), args: []string{"git", "fast-import", "--quiet"}}.run(t)

	fs := mount(t)
	work := filepath.Join(fs.Dir, "work")
	git := func(args ...string) string {
		t.Helper()
		return run(t, work, append([]string{"git", "-c", "gc.auto=0", "-c", "advice.detachedHead=false"}, args...)...)
	}
	run(t, "", "git", "clone", "-q", "--no-local", origin, work)
	git("fsck", "--full", "--strict")
	for _, at := range []int{commits / 2, 1, commits - 1} {
		git("checkout", "-q", fmt.Sprintf("main~%d", at))
		clean(t, git)
	}
	git("checkout", "-q", "main")
	git("repack", "-q", "-a", "-d", "-F", "--depth=20")
	git("gc", "-q", "--prune=now")

	fs.Remount(t)
	git("fsck", "--full", "--strict")
	clean(t, git)
	// The working tree is the same as one that was checked out elsewhere.
	local := filepath.Join(t.TempDir(), "local")
	run(t, "", "git", "clone", "-q", origin, local)
	run(t, "", "diff", "-r", "--exclude=.git", local, work)
	if n := strings.TrimSpace(git("rev-list", "--count", "main")); n != fmt.Sprint(commits) {
		t.Errorf("%s commits, want %d", n, commits)
	}
}

func clean(t *testing.T, git func(...string) string) {
	t.Helper()
	if out := git("status", "--porcelain"); out != "" {
		t.Errorf("changes that nobody made:\n%s", tail(out))
	}
}

// history is a stream for git fast-import: commits that each change a few of
// some hundred files.
func history(commits int) string {
	const files = 300
	rng := rand.New(rand.NewPCG(7, 7))
	var b strings.Builder
	for c := range commits {
		message := fmt.Sprintf("commit %d", c)
		fmt.Fprintf(&b, "commit refs/heads/main\ncommitter T <t@example.org> %d +0000\ndata %d\n%s\n", 1_600_000_000+c, len(message), message)
		for range 1 + rng.IntN(5) {
			i := rng.IntN(files)
			text := strings.Repeat(fmt.Sprintf("line of commit %d\n", c), 1+rng.IntN(400))
			fmt.Fprintf(&b, "M 100644 inline d%d/e%d/f%d.txt\ndata %d\n%s\n", i%7, i%31, i, len(text), text)
		}
	}
	b.WriteString("done\n")
	return b.String()
}
