package harness

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// RequireFUSE skips a test on a machine where it cannot mount: it needs root,
// because the suites switch users and create devices, and /dev/fuse. With CI=true a
// missing requirement is a failure, so that a misconfigured runner cannot pass
// by skipping everything.
func RequireFUSE(t testing.TB) {
	t.Helper()
	if err := fuseUsable(); err != nil {
		missing(t, err)
	}
}

// RequireRoot is RequireFUSE for tests that need to be root but do not mount.
func RequireRoot(t testing.TB) {
	t.Helper()
	if err := isRoot(); err != nil {
		missing(t, err)
	}
}

// RequireProgram requires a program of a Debian package, and returns its path.
func RequireProgram(t testing.TB, program, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		missing(t, fmt.Errorf("%s is missing: apt-get install %s", program, debianPackage))
	}
	return path
}

func missing(t testing.TB, err error) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("required in CI: %v", err)
	}
	t.Skipf("skipped: %v", err)
}

func isRoot() error {
	if uid := os.Geteuid(); uid != 0 {
		return fmt.Errorf("not root but uid %d", uid)
	}
	return nil
}

func fuseUsable() error {
	if err := isRoot(); err != nil {
		return err
	}
	dev, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("FUSE is not available: %w", err)
	}
	if err := dev.Close(); err != nil {
		return fmt.Errorf("closing /dev/fuse: %w", err)
	}
	if _, err := exec.LookPath("umount"); err != nil {
		return errors.New("umount(8) is not installed")
	}
	return nil
}
