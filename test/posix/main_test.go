// Package posix checks that a directory behaves as POSIX and Linux say that
// directories behave. It covers what the pjdfstest suite covers on Linux, one
// file per system call, and some more.
//
//	go test ./test/posix                   # mounts a fresh swarmfs
//	go test ./test/posix -dir /mnt/there   # any directory of any file system
//
// The expectations are those that ext4 meets; run the suite with -dir on an
// ext4 directory after changing them. Every call is made by a process of the
// user in question, so the kernel checks real credentials.
//
// Of content the suite covers only what truncation and holes need; test/model
// compares content with a local file system.
package posix

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"swarmfs/test/harness"
)

var dirFlag = flag.String("dir", "", "directory to test; empty: mount a fresh swarmfs")

// checks counts the expectations that were compared, whether met or not.
var checks atomic.Int64

func TestMain(m *testing.M) {
	if os.Getenv(helperEnv) != "" {
		os.Exit(serveCalls(os.Stdin, os.Stdout))
	}
	flag.Parse()
	code := harness.Main(m)
	if testing.Verbose() {
		fmt.Printf("%d checks\n", checks.Load())
	}
	os.Exit(code)
}

// TestPOSIX is the whole suite, so that one mount serves all of it.
func TestPOSIX(t *testing.T) {
	harness.RequireRoot(t)
	base := *dirFlag
	if base == "" {
		base = harness.Mount(t, harness.Options{}).Dir
	}
	base, err := filepath.Abs(base)
	if err != nil {
		t.Fatal(err)
	}
	s := newSuite(t, base)
	for _, topic := range []struct {
		name string
		test func(*suite, *testing.T)
	}{
		{"PathErrors", testPathErrors},
		{"Access", testAccess},
		{"Sticky", testSticky},
		{"Times", testTimes},
		{"Create", testCreate},
		{"Chmod", testChmod},
		{"Chown", testChown},
		{"Truncate", testTruncate},
		{"Fallocate", testFallocate},
		{"Link", testLink},
		{"Open", testOpen},
		{"Rename", testRename},
		{"Rmdir", testRmdir},
		{"Symlink", testSymlink},
		{"Unlink", testUnlink},
		{"Utimensat", testUtimensat},
		{"Xattr", testXattr},
		{"ACL", testACL},
		{"Readdir", testReaddir},
		{"Lock", testLock},
	} {
		t.Run(topic.name, func(t *testing.T) { topic.test(s, t) })
	}
}
