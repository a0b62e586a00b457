package posix

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func testChmod(s *suite, t *testing.T) {
	for _, typ := range withMode {
		t.Run("every mode of a "+typ.name, func(t *testing.T) { checkModes(s.fixture(t), typ) })
		t.Run("by a stranger of a "+typ.name, func(t *testing.T) { checkChmodDenied(s.fixture(t), typ) })
		t.Run("setgid by a non-member of a "+typ.name, func(t *testing.T) { checkChmodSetgid(s.fixture(t), typ) })
	}
	t.Run("writing clears setuid and setgid", func(t *testing.T) { checkWriteClears(s, t) })
}

func checkModes(f *fixture, typ fileType) {
	f.make(typ, "x", ownerID, ownerID)
	f.must(f.root.symlink("x", "link"))
	link := f.lstat("link")
	owner := f.as(ownerID, ownerID)
	for special := range uint32(8) {
		for _, perm := range []uint32{0, 0o111, 0o222, 0o444, 0o640, 0o751, 0o777} {
			mode := special<<9 | perm
			f.want(f.root.chmod("x", mode))
			f.wantMode("x", mode)
			f.want(owner.chmod("link", mode^0o777))
			f.wantMode("x", mode^0o777)
		}
	}
	f.wantType("x", typ.mode)
	f.wantMode("link", link.Mode&0o7777)
	equal(f, "ctime of the symbolic link", f.lstat("link").Ctim, link.Ctim)
	if typ.name == regular.name || typ.name == dir.name {
		fd := f.root.open("x", unix.O_RDONLY, 0)
		f.want(f.root.fchmod(fd, 0o1612))
		f.wantMode("x", 0o1612)
		f.must(f.root.close(fd))
	}
}

func checkChmodDenied(f *fixture, typ fileType) {
	f.make(typ, "x", ownerID, ownerID)
	f.must(f.root.chmod("x", 0o777))
	f.must(f.root.symlink("x", "link"))
	before := f.lstat("x")
	for _, path := range []string{"x", "link"} {
		f.want(f.as(strangerID, ownerID).chmod(path, 0o600), unix.EPERM)
		f.want(f.as(strangerID, strangerID).chmod(path, 0o777), unix.EPERM)
	}
	equal(f, "attributes", f.lstat("x"), before)
}

// checkChmodSetgid: chmod succeeds but drops setgid if the caller is neither
// privileged nor in the group of the file. Linux does so for every type.
func checkChmodSetgid(f *fixture, typ fileType) {
	f.make(typ, "x", ownerID, ownerID)
	for _, c := range []struct {
		who  user
		kept bool
	}{
		{f.as(ownerID, ownerID), true},
		{f.as(ownerID, 1, ownerID), true},
		{f.as(ownerID, strangerID), false},
		{f.root, true},
	} {
		for _, mode := range []uint32{0o2755, 0o2644, 0o6755, 0o3777} {
			f.want(c.who.chmod("x", mode))
			if !c.kept {
				mode &^= unix.S_ISGID
			}
			f.wantMode("x", mode)
		}
	}
}

// checkWriteClears: changing the content of a file clears setuid, and setgid if
// the group may execute, unless the caller is privileged.
func checkWriteClears(s *suite, t *testing.T) {
	changes := []struct {
		name string
		do   func(f *fixture, u user)
	}{
		{"write", func(f *fixture, u user) {
			fd := u.open("x", unix.O_WRONLY, 0)
			f.want(u.pwrite(fd, []byte("y"), 0))
			checkClearedNow(f, u, fd)
			f.want(u.close(fd))
		}},
		{"truncate", func(f *fixture, u user) { f.want(u.truncate("x", 3)) }},
		{"ftruncate", func(f *fixture, u user) {
			fd := u.open("x", unix.O_WRONLY, 0)
			f.want(u.ftruncate(fd, 3))
			f.want(u.close(fd))
		}},
		{"open with O_TRUNC", func(f *fixture, u user) { f.want(u.touch("x", unix.O_WRONLY|unix.O_TRUNC, 0)) }},
		{"fallocate", func(f *fixture, u user) {
			fd := u.open("x", unix.O_WRONLY, 0)
			f.want(u.fallocate(fd, 0, 0, 100))
			f.want(u.close(fd))
		}},
	}
	for _, change := range changes {
		for _, c := range []struct {
			mode uint32
			want uint32
		}{
			{0o4777, 0o777},
			{0o2777, 0o777},
			{0o6777, 0o777},
			{0o4666, 0o666},
			{0o2766, 0o2766}, // setgid without group execution is no privilege
			{0o7777, 0o1777},
		} {
			for _, uid := range []int{ownerID, strangerID} {
				t.Run(fmt.Sprintf("%s/%#o/%d", change.name, c.mode, uid), func(t *testing.T) {
					f := s.fixture(t)
					f.make(regular, "x", ownerID, uid)
					f.must(f.root.truncate("x", 10))
					f.must(f.root.chmod("x", c.mode))
					change.do(f, f.as(uid, uid))
					f.wantMode("x", c.want)
					// Root keeps the bits.
					f.must(f.root.chmod("x", c.mode))
					change.do(f, f.root)
					f.wantMode("x", c.mode)
				})
			}
		}
	}
}

// checkClearedNow: the writer itself sees the bits gone before it closes.
func checkClearedNow(f *fixture, u user, fd int) {
	f.t.Helper()
	r := u.fstat(fd)
	f.must(r)
	if u.h.who.UID != 0 {
		equal(f, "setuid after a write", r.Stat.Mode&unix.S_ISUID, 0)
	}
}
