package posix

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func testChown(s *suite, t *testing.T) {
	for _, typ := range allTypes {
		t.Run(typ.name, func(t *testing.T) {
			t.Run("by root", func(t *testing.T) { checkChownRoot(s.fixture(t), typ) })
			t.Run("to a group of the owner", func(t *testing.T) { checkChownGroup(s.fixture(t), typ) })
			t.Run("denied", func(t *testing.T) { checkChownDenied(s.fixture(t), typ) })
			t.Run("of nothing", func(t *testing.T) { checkChownNothing(s.fixture(t), typ) })
		})
	}
	for _, typ := range withMode {
		t.Run("setuid and setgid of a "+typ.name, func(t *testing.T) { checkChownClears(s.fixture(t), typ) })
	}
	t.Run("fchown", func(t *testing.T) { checkFchown(s.fixture(t)) })
}

// chowns are the ways to change the owner of x: by itself and, unless x is a
// symbolic link, by following one.
func chowns(f *fixture, typ fileType) []func(u user, uid, gid int) result {
	ways := []func(u user, uid, gid int) result{
		func(u user, uid, gid int) result { return u.lchown("x", uid, gid) },
	}
	if typ.name == symlink.name {
		return ways
	}
	f.must(f.root.symlink("x", "link"))
	return append(ways,
		func(u user, uid, gid int) result { return u.chown("x", uid, gid) },
		func(u user, uid, gid int) result { return u.chown("link", uid, gid) },
	)
}

func checkChownRoot(f *fixture, typ fileType) {
	f.make(typ, "x", 0, 0)
	for _, chown := range chowns(f, typ) {
		for _, id := range []struct{ uid, gid int }{{123, 456}, {0, 0}, {65535, 65536}, {1 << 31, 1<<32 - 2}, {0, 0}} {
			f.want(chown(f.root, id.uid, id.gid))
			f.wantOwner("x", uint32(id.uid), uint32(id.gid))
		}
		f.want(chown(f.root, 5, -1))
		f.wantOwner("x", 5, 0)
		f.want(chown(f.root, -1, 6))
		f.wantOwner("x", 5, 6)
		f.want(chown(f.root, -1, -1))
		f.wantOwner("x", 5, 6)
		if typ.name != symlink.name {
			f.wantOwner("link", 0, 0)
		}
	}
}

// checkChownGroup: an owner may give a file to each of its groups.
func checkChownGroup(f *fixture, typ fileType) {
	f.make(typ, "x", ownerID, 65533)
	owner := f.as(ownerID, 65532, 65531)
	for _, chown := range chowns(f, typ) {
		f.must(f.root.lchown("x", ownerID, 65533))
		f.want(chown(owner, -1, 65532))
		f.wantOwner("x", ownerID, 65532)
		f.want(chown(owner, ownerID, 65531))
		f.wantOwner("x", ownerID, 65531)
		f.want(chown(owner, ownerID, -1))
		f.wantOwner("x", ownerID, 65531)
	}
}

func checkChownDenied(f *fixture, typ fileType) {
	f.make(typ, "x", ownerID, ownerID)
	before := f.lstat("x")
	time.Sleep(tick)
	owner, stranger := f.as(ownerID, ownerID), f.as(strangerID, strangerID)
	for _, chown := range chowns(f, typ) {
		f.want(chown(owner, strangerID, strangerID), unix.EPERM)
		f.want(chown(owner, strangerID, -1), unix.EPERM)
		f.want(chown(owner, -1, strangerID), unix.EPERM)
		f.want(chown(owner, 0, ownerID), unix.EPERM)
		f.want(chown(stranger, ownerID, ownerID), unix.EPERM)
		f.want(chown(stranger, strangerID, strangerID), unix.EPERM)
		f.want(chown(stranger, -1, strangerID), unix.EPERM)
		f.want(chown(stranger, strangerID, -1), unix.EPERM)
		equal(f, "attributes", f.lstat("x"), before)
	}
}

// checkChownNothing: leaving both as they are is allowed to everybody.
func checkChownNothing(f *fixture, typ fileType) {
	f.make(typ, "x", ownerID, ownerID)
	for _, chown := range chowns(f, typ) {
		f.want(chown(f.as(strangerID, strangerID), -1, -1))
		f.wantOwner("x", ownerID, ownerID)
	}
}

// checkChownClears: a change of owner or group clears setuid, and setgid if
// the group may execute, of everything but directories, whoever does it.
func checkChownClears(f *fixture, typ fileType) {
	f.make(typ, "x", ownerID, 65533)
	owner := f.as(ownerID, 65533, 65532)
	for _, chown := range chowns(f, typ) {
		for _, c := range []struct {
			who      user
			uid, gid int
		}{
			{f.root, 65532, 65531},
			{f.root, -1, 65531},
			{f.root, 65532, -1},
			{owner, ownerID, 65532},
			{owner, -1, 65532},
			{owner, ownerID, -1},
		} {
			for _, bits := range []struct{ mode, cleared uint32 }{
				{0o6555, 0o0555},
				{0o4755, 0o0755},
				{0o2755, 0o0755},
				{0o2745, 0o2745}, // setgid without group execution is no privilege
				{0o7777, 0o1777},
			} {
				f.must(f.root.lchown("x", ownerID, 65533))
				f.must(f.root.chmod("x", bits.mode))
				f.want(chown(c.who, c.uid, c.gid))
				if typ.name == dir.name {
					f.wantMode("x", bits.mode)
					continue
				}
				f.wantMode("x", bits.cleared)
			}
		}
	}
}

func checkFchown(f *fixture) {
	f.make(regular, "x", 0, 0)
	fd := f.root.open("x", unix.O_RDONLY, 0)
	f.want(f.root.fchown(fd, 1, 2))
	f.wantOwner("x", 1, 2)
	f.must(f.root.unlink("x"))
	f.want(f.root.fchown(fd, 3, 4))
	r := f.root.fstat(fd)
	f.must(r)
	equal(f, "owner of an unlinked file", r.Stat.Uid, 3)
	f.must(f.root.close(fd))
}
