package posix

import (
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testXattr checks extended attributes as xattr(7) has them.
func testXattr(s *suite, t *testing.T) {
	for _, typ := range allTypes {
		t.Run("of a "+typ.name, func(t *testing.T) { checkXattrType(s.fixture(t), typ) })
	}
	t.Run("creating and replacing", func(t *testing.T) { checkXattrFlags(s.fixture(t)) })
	t.Run("sizes", func(t *testing.T) { checkXattrSizes(s.fixture(t)) })
	t.Run("permissions", func(t *testing.T) { checkXattrPermissions(s.fixture(t)) })
	t.Run("times", func(t *testing.T) { checkXattrTimes(s.fixture(t)) })
}

// checkXattrType: user attributes are for files and directories only, trusted ones
// for every type.
func checkXattrType(f *fixture, typ fileType) {
	f.must(typ.make(f.root, "x"))
	r := f.root.setxattr("x", "user.a", []byte("v"), 0)
	if typ.name == regular.name || typ.name == dir.name {
		f.want(r)
		f.want(f.root.removexattr("x", "user.a"))
	} else {
		f.want(r, unix.EPERM)
		f.want(f.root.getxattr("x", "user.a", 10), unix.ENODATA, unix.EPERM)
	}
	f.want(f.root.setxattr("x", "trusted.a", []byte("v"), 0))
	got := f.root.getxattr("x", "trusted.a", 10)
	f.want(got)
	equal(f, "value", string(got.Data), "v")
	f.want(f.root.removexattr("x", "trusted.a"))
	f.want(f.root.removexattr("x", "trusted.a"), unix.ENODATA)
	f.want(f.root.setxattr("x", "nonsense", []byte("v"), 0), unix.EOPNOTSUPP)
}

func checkXattrFlags(f *fixture) {
	f.must(f.root.create("x", 0o644))
	f.want(f.root.setxattr("x", "user.a", []byte("1"), unix.XATTR_REPLACE), unix.ENODATA)
	f.want(f.root.setxattr("x", "user.a", []byte("1"), unix.XATTR_CREATE))
	f.want(f.root.setxattr("x", "user.a", []byte("2"), unix.XATTR_CREATE), unix.EEXIST)
	f.want(f.root.setxattr("x", "user.a", []byte("3"), unix.XATTR_REPLACE))
	f.want(f.root.setxattr("x", "user.b", nil, 0))
	f.want(f.root.setxattr("x", "user.a", []byte("4"), 1<<5), unix.EINVAL)
	got := f.root.getxattr("x", "user.a", 10)
	f.want(got)
	equal(f, "value", string(got.Data), "3")
	got = f.root.getxattr("x", "user.b", 10)
	f.want(got)
	equal(f, "empty value", string(got.Data), "")
	f.must(f.root.rename("x", "y"))
	f.must(f.root.link("y", "z"))
	f.want(f.root.removexattr("z", "user.a"))
	f.want(f.root.getxattr("y", "user.a", 10), unix.ENODATA)
}

func checkXattrSizes(f *fixture) {
	f.must(f.root.create("x", 0o644))
	longest := "user." + strings.Repeat("n", unix.NAME_MAX-len("user."))
	f.want(f.root.setxattr("x", longest, []byte("v"), 0))
	f.want(f.root.setxattr("x", longest+"n", []byte("v"), 0), unix.ERANGE)
	f.want(f.root.setxattr("x", "", []byte("v"), 0), unix.ERANGE)
	f.want(f.root.setxattr("x", "user.", []byte("v"), 0), unix.EINVAL)
	const xattrSizeMax = 64 << 10
	f.want(f.root.setxattr("x", "user.a", make([]byte, xattrSizeMax+1), 0), unix.E2BIG)
	value := strings.Repeat("v", 1000)
	f.want(f.root.setxattr("x", "user.a", []byte(value), 0))
	f.want(f.root.getxattr("x", "user.a", 999), unix.ERANGE)
	got := f.root.getxattr("x", "user.a", 1000)
	f.want(got)
	equal(f, "value", string(got.Data), value)
}

func checkXattrPermissions(f *fixture) {
	f.make(regular, "x", ownerID, ownerID)
	f.must(f.root.chmod("x", 0o600))
	owner, stranger := f.as(ownerID, ownerID), f.as(strangerID, strangerID)
	f.want(owner.setxattr("x", "user.a", []byte("v"), 0))
	f.want(stranger.setxattr("x", "user.a", []byte("w"), 0), unix.EACCES)
	f.want(stranger.getxattr("x", "user.a", 10), unix.EACCES)
	f.want(stranger.removexattr("x", "user.a"), unix.EACCES)
	f.must(f.root.chmod("x", 0o604))
	f.want(stranger.getxattr("x", "user.a", 10))
	f.want(stranger.setxattr("x", "user.a", []byte("w"), 0), unix.EACCES)
	f.want(owner.setxattr("x", "trusted.a", []byte("v"), 0), unix.EPERM)
	f.want(owner.getxattr("x", "trusted.a", 10), unix.ENODATA)
	f.want(owner.setxattr("x", "security.a", []byte("v"), 0), unix.EPERM)
	// In a sticky directory only the owner may set user attributes of the directory.
	f.make(dir, "d", ownerID, ownerID)
	f.must(f.root.chmod("d", 0o1777))
	f.want(stranger.setxattr("d", "user.a", []byte("v"), 0), unix.EPERM)
	f.want(owner.setxattr("d", "user.a", []byte("v"), 0))
}

func checkXattrTimes(f *fixture) {
	f.must(f.root.create("x", 0o644))
	for _, change := range []func() result{
		func() result { return f.root.setxattr("x", "user.a", []byte("v"), 0) },
		func() result { return f.root.removexattr("x", "user.a") },
	} {
		before := f.lstat("x")
		time.Sleep(tick)
		f.want(change())
		f.wantTime("ctime", before.Ctim, f.lstat("x").Ctim, true)
		f.wantTime("mtime", before.Mtim, f.lstat("x").Mtim, false)
	}
	before := f.lstat("x")
	time.Sleep(tick)
	f.want(f.root.removexattr("x", "user.a"), unix.ENODATA)
	f.wantTime("ctime after a failure", before.Ctim, f.lstat("x").Ctim, false)
}
