package tools

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"swarmfs/test/harness"
)

// foreign are stressors of stress-ng's class that do nothing to the file
// system they are pointed at.
var foreign = []string{
	"bind-mount", // binds / elsewhere
	"binderfs",   // mounts a file system of its own
	"dup",        // descriptors
	"eventfd",    // descriptors
	"ioprio",     // the scheduler
	"procfs",     // /proc
}

// brief are those run with -short: one for each kind of call.
var brief = []string{
	"access", "chmod", "chown", "copy-file", "dentry", "dir", "dirdeep", "fallocate", "fcntl", "filename", "flock",
	"fpunch", "fsize", "getdent", "hdd", "iomix", "link", "lockf", "mknod", "open", "rename", "symlink", "touch",
	"utime", "verity", "xattr",
}

// Exit codes of stress-ng.
const (
	stressNoResource     = 3
	stressNotImplemented = 4
)

// Each stressor of stress-ng's file system class works on a mount as on ext4.
func TestStressNG(t *testing.T) {
	harness.RequireProgram(t, "stress-ng", "stress-ng")
	fs := mount(t)
	for _, stressor := range stressors(t) {
		t.Run(stressor, func(t *testing.T) {
			out, err := stress(stressor, fs.Dir)
			if err == nil || unsupported(err) {
				return
			}
			if _, local := stress(stressor, t.TempDir()); local != nil {
				t.Logf("fails on a local directory as well: %v", local)
				return
			}
			t.Errorf("stress-ng --%s: %v\n%s", stressor, err, tail(out))
		})
	}
}

func stressors(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		return brief
	}
	// Prints "class 'filesystem' stressors: access chattr ..." and exits with 1.
	out, _ := command{args: []string{"stress-ng", "--class", "filesystem?"}}.try()
	_, list, ok := strings.Cut(out, "stressors:")
	if !ok {
		t.Fatalf("stress-ng does not list its stressors: %s", out)
	}
	return slices.DeleteFunc(strings.Fields(list), func(s string) bool { return slices.Contains(foreign, s) })
}

func stress(stressor, dir string) (string, error) {
	return command{args: []string{
		"stress-ng", "--" + stressor, scaled("1", "4"), "--timeout", scaled("1", "10"), "--verify", "--temp-path", dir,
	}}.try()
}

// unsupported reports whether stress-ng found nothing to test.
func unsupported(err error) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && (exit.ExitCode() == stressNoResource || exit.ExitCode() == stressNotImplemented)
}
