package fusefs

import (
	"testing"

	"github.com/hanwen/go-fuse/v2/posixtest"
)

// sameProcessLock expects a lock to conflict with another one of the same process, which POSIX says it does not
// and which no local filesystem does; go-fuse itself leaves the test out when it tries one.
// TestLocksBetweenProcesses is about what it means to test.
const sameProcessLock = "FcntlFlockLocksFile"

// TestPosix runs go-fuse's conformance tests, with the kernel collecting writes and without.
func TestPosix(t *testing.T) {
	for name, r := range map[string]mountRequest{
		"Writeback":    {},
		"Writethrough": {NoWriteback: true},
	} {
		t.Run(name, func(t *testing.T) {
			r.Store = t.TempDir()
			mnt := mountWith(t, r)
			for name, test := range posixtest.All {
				if name == sameProcessLock {
					continue
				}
				t.Run(name, func(t *testing.T) { test(t, subdir(t, mnt, name)) })
			}
		})
	}
}
