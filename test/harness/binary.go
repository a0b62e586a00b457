// Package harness builds swarmfs, mounts stores with it and takes the mounts
// down again, for tests that exercise a real kernel mount.
//
// The mount always runs in a process of its own: a deadlock between the kernel
// and the daemon then hangs neither the test nor its clean-up, and a crash can
// be provoked with SIGKILL. Every wait has a deadline. What a test leaves
// mounted is unmounted when the test ends, by force if need be, and the test
// fails if force was needed.
//
// The package does not judge file system behaviour; the suites do.
package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// BinaryEnv names an environment variable with the path of a swarmfs binary
// to test instead of building one, for example one built with -race or for
// coverage.
const BinaryEnv = "SWARMFS_TEST_BINARY"

// buildDeadline bounds the build of the binary, including a cold build cache
// on a slow machine.
const buildDeadline = 5 * time.Minute

var build struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Binary returns the path of a swarmfs binary built from this checkout. It is
// built once per test process and removed by [Main].
func Binary(t testing.TB) string {
	t.Helper()
	build.once.Do(func() { build.path, build.err = buildBinary() })
	if build.err != nil {
		t.Fatalf("building swarmfs: %v", build.err)
	}
	return build.path
}

func buildBinary() (string, error) {
	if path := os.Getenv(BinaryEnv); path != "" {
		return filepath.Abs(path)
	}
	dir, err := os.MkdirTemp("", "swarmfs-test-")
	if err != nil {
		return "", err
	}
	build.dir = dir
	path := filepath.Join(dir, "swarmfs")
	ctx, cancel := context.WithTimeout(context.Background(), buildDeadline)
	defer cancel()
	out, err := exec.CommandContext(ctx, "go", "build", "-o", path, "swarmfs/cmd/swarmfs").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// Main runs the tests of a package and removes the binary built for them. Call
// it from TestMain:
//
//	func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }
func Main(m *testing.M) int {
	code := m.Run()
	if build.dir != "" {
		if err := os.RemoveAll(build.dir); err != nil {
			fmt.Fprintln(os.Stderr, "removing the swarmfs test binary:", err)
		}
	}
	return code
}
