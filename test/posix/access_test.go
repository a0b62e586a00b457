package posix

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// The users of the permission tests: the owner of a file, somebody in its
// group, somebody in its group by a supplementary one, and a stranger.
const (
	ownerID    = 65534
	strangerID = 65533
)

func testAccess(s *suite, t *testing.T) {
	t.Run("writing to a directory", func(t *testing.T) { checkDirWritable(s, t) })
	t.Run("opening a file", func(t *testing.T) { checkOpenPermissions(s, t) })
	t.Run("opening a directory", func(t *testing.T) { checkOpenDirPermissions(s, t) })
}

// entryOps change a directory's entries and hence need write permission on it.
var entryOps = []struct {
	name    string
	removes fileType // what it finds as dir/x; zero: nothing
	do      func(u user) result
}{
	{"mkdir", fileType{}, func(u user) result { return u.mkdir("dir/x", 0o755) }},
	{"mkfifo", fileType{}, func(u user) result { return u.mkfifo("dir/x", 0o644) }},
	{"mknod", fileType{}, func(u user) result { return u.mknod("dir/x", unix.S_IFREG|0o644, 0) }},
	{"bind", fileType{}, func(u user) result { return u.bind("dir/x") }},
	{"symlink", fileType{}, func(u user) result { return u.symlink("test", "dir/x") }},
	{"open", fileType{}, func(u user) result { return u.create("dir/x", 0o644) }},
	{"link", fileType{}, func(u user) result { return u.link(otherFile, "dir/x") }},
	{"rename into", fileType{}, func(u user) result { return u.rename(otherFile, "dir/x") }},
	{"rename over", regular, func(u user) result { return u.rename(otherFile, "dir/x") }},
	{"rename out of", regular, func(u user) result { return u.rename("dir/x", otherName) }},
	{"rename within", regular, func(u user) result { return u.rename("dir/x", "dir/y") }},
	{"unlink", regular, func(u user) result { return u.unlink("dir/x") }},
	{"rmdir", dir, func(u user) result { return u.rmdir("dir/x") }},
}

func checkDirWritable(s *suite, t *testing.T) {
	for _, op := range entryOps {
		t.Run(op.name, func(t *testing.T) {
			for _, c := range []struct {
				uid     int
				groups  []int
				mode    uint32
				allowed bool
			}{
				{ownerID, []int{ownerID}, 0o577, false},
				{ownerID, []int{ownerID}, 0o477, false},
				{ownerID, []int{ownerID}, 0o377, true},
				{ownerID, []int{ownerID}, 0o700, true},
				{strangerID, []int{ownerID}, 0o757, false},
				{strangerID, []int{ownerID}, 0o070, true},
				{strangerID, []int{1, ownerID}, 0o757, false},
				{strangerID, []int{1, ownerID}, 0o070, true},
				{strangerID, []int{strangerID}, 0o775, false},
				{strangerID, []int{strangerID}, 0o007, true},
				{0, []int{0}, 0o000, true},
			} {
				f := s.fixture(t)
				f.must(f.root.chmod(".", 0o777))
				f.make(regular, otherFile, c.uid, c.groups[0])
				f.make(dir, "dir", ownerID, ownerID)
				if op.removes.make != nil {
					f.make(op.removes, "dir/x", ownerID, ownerID)
				}
				f.must(f.root.chmod("dir", c.mode))
				before := f.lstat("dir")
				r := op.do(f.as(c.uid, c.groups...))
				if c.allowed {
					f.want(r)
					continue
				}
				f.want(r, unix.EACCES)
				equal(f, "the directory", f.lstat("dir"), before)
			}
		})
	}
}

// checkOpenPermissions opens files with each of the 8 permissions of each of
// the three classes, in each of the three ways.
func checkOpenPermissions(s *suite, t *testing.T) {
	for _, typ := range []fileType{regular, fifo} {
		t.Run(typ.name, func(t *testing.T) {
			f := s.fixture(t)
			f.make(typ, "x", ownerID, ownerID)
			for _, class := range []struct {
				who   user
				shift uint
			}{
				{f.as(ownerID, ownerID), 6},
				{f.as(strangerID, ownerID), 3},
				{f.as(strangerID, 1, ownerID), 3},
				{f.as(strangerID, strangerID), 0},
			} {
				for bits := range uint32(8) {
					// The other classes may do the opposite.
					mode := 0o777&^(7<<class.shift) | bits<<class.shift
					f.must(f.root.chmod("x", mode))
					checkOpenModes(f, class.who, typ, bits)
				}
			}
		})
	}
}

func checkOpenModes(f *fixture, who user, typ fileType, bits uint32) {
	f.t.Helper()
	for _, way := range []struct {
		flags int
		needs uint32
	}{
		{unix.O_RDONLY, 4},
		{unix.O_WRONLY, 2},
		{unix.O_RDWR, 6},
		{unix.O_RDONLY | unix.O_TRUNC, 6},
	} {
		if typ.name == fifo.name && way.flags == unix.O_WRONLY {
			continue // would fail with ENXIO or wait for a reader
		}
		r := who.touch("x", way.flags|unix.O_NONBLOCK, 0)
		if bits&way.needs == way.needs {
			f.want(r)
			continue
		}
		f.want(r, unix.EACCES)
	}
	if typ.name == regular.name {
		r := who.truncate("x", 10)
		if bits&2 != 0 {
			f.want(r)
		} else {
			f.want(r, unix.EACCES)
		}
	}
}

func checkOpenDirPermissions(s *suite, t *testing.T) {
	f := s.fixture(t)
	f.make(dir, "d", ownerID, ownerID)
	for _, who := range []struct {
		user  user
		shift uint
	}{
		{f.as(ownerID, ownerID), 6},
		{f.as(strangerID, ownerID), 3},
		{f.as(strangerID, strangerID), 0},
	} {
		for bits := range uint32(8) {
			f.must(f.root.chmod("d", 0o777&^(7<<who.shift)|bits<<who.shift))
			r := who.user.touch("d", unix.O_RDONLY|unix.O_DIRECTORY, 0)
			if bits&4 != 0 {
				f.want(r)
			} else {
				f.want(r, unix.EACCES)
			}
			f.want(who.user.touch("d", unix.O_WRONLY, 0), unix.EISDIR)
			f.want(who.user.touch("d", unix.O_RDWR, 0), unix.EISDIR)
			f.want(f.root.touch("d", unix.O_RDONLY, 0))
			equal(f, fmt.Sprintf("mode with %o", bits), f.lstat("d").Mode&unix.S_IFMT, uint32(unix.S_IFDIR))
		}
	}
}
