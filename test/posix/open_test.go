package posix

import (
	"testing"

	"golang.org/x/sys/unix"
)

func testOpen(s *suite, t *testing.T) {
	t.Run("a directory for writing", func(t *testing.T) { checkOpenDir(s.fixture(t)) })
	t.Run("a symbolic link", func(t *testing.T) { checkOpenSymlink(s.fixture(t)) })
	t.Run("a fifo", func(t *testing.T) { checkOpenFifo(s.fixture(t)) })
	t.Run("a device or socket", func(t *testing.T) { checkOpenSpecial(s.fixture(t)) })
	t.Run("exclusively", func(t *testing.T) { checkOpenExclusive(s.fixture(t)) })
	t.Run("a new file without permissions", func(t *testing.T) { checkOpenNewUnreadable(s.fixture(t)) })
	t.Run("appending", func(t *testing.T) { checkAppend(s.fixture(t)) })
	t.Run("a nameless file", func(t *testing.T) { checkTmpfile(s.fixture(t)) })
	t.Run("attributes only", func(t *testing.T) { checkOpenPath(s.fixture(t)) })
}

func checkOpenDir(f *fixture) {
	f.must(f.root.mkdir("d", 0o777))
	for _, flags := range []int{unix.O_WRONLY, unix.O_RDWR, unix.O_RDONLY | unix.O_TRUNC, unix.O_CREAT | unix.O_RDONLY, unix.O_CREAT | unix.O_WRONLY} {
		f.want(f.root.touch("d", flags, 0o644), unix.EISDIR)
		f.want(f.as(ownerID, ownerID).touch("d", flags, 0o644), unix.EISDIR)
	}
	f.want(f.root.touch("d", unix.O_RDONLY, 0))
	f.want(f.root.touch("d", unix.O_CREAT|unix.O_EXCL, 0o644), unix.EEXIST)
	f.must(f.root.create("x", 0o644))
	f.want(f.root.touch("x", unix.O_DIRECTORY, 0), unix.ENOTDIR)
	f.want(f.root.touch("d/", unix.O_CREAT|unix.O_WRONLY, 0o644), unix.EISDIR)
	f.want(f.root.touch("new/", unix.O_CREAT|unix.O_WRONLY, 0o644), unix.EISDIR)
}

func checkOpenSymlink(f *fixture) {
	f.must(f.root.symlink("target", "link"))
	for _, access := range []int{unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR} {
		f.want(f.root.touch("link", access|unix.O_NOFOLLOW, 0), unix.ELOOP)
		f.want(f.root.touch("link", access|unix.O_NOFOLLOW|unix.O_CREAT, 0o644), unix.ELOOP)
		f.want(f.root.touch("link", access, 0), unix.ENOENT)
	}
	f.wantAbsent("target")
	f.want(f.root.touch("link", unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o644), unix.EEXIST)
	f.wantAbsent("target")
	f.want(f.root.touch("link", unix.O_CREAT|unix.O_WRONLY, 0o644))
	f.wantType("target", unix.S_IFREG)
	f.wantType("link", unix.S_IFLNK)
}

func checkOpenFifo(f *fixture) {
	f.must(f.root.mkfifo("x", 0o644))
	f.want(f.root.touch("x", unix.O_WRONLY|unix.O_NONBLOCK, 0), unix.ENXIO)
	f.want(f.root.touch("x", unix.O_RDONLY|unix.O_NONBLOCK, 0))
	rd := f.root.open("x", unix.O_RDONLY|unix.O_NONBLOCK, 0)
	wr := f.root.open("x", unix.O_WRONLY|unix.O_NONBLOCK, 0)
	f.want(f.root.pwrite(wr, []byte("x"), 0), unix.ESPIPE)
	f.must(f.root.close(rd))
	f.must(f.root.close(wr))
}

func checkOpenSpecial(f *fixture) {
	f.must(f.root.bind("socket"))
	for _, access := range []int{unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR} {
		f.want(f.root.touch("socket", access, 0), unix.ENXIO)
	}
	for _, typ := range []uint32{unix.S_IFCHR, unix.S_IFBLK} {
		// No driver has this number. A file system mounted without device
		// files answers EACCES.
		f.must(f.root.mknod("device", typ|0o666, unix.Mkdev(4000, 1000)))
		f.want(f.root.touch("device", unix.O_RDONLY, 0), unix.ENXIO, unix.EACCES)
		f.remove("device")
	}
}

func checkOpenExclusive(f *fixture) {
	for _, typ := range allTypes {
		f.must(typ.make(f.root, typ.name))
		for _, access := range []int{unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR} {
			f.want(f.root.touch(typ.name, unix.O_CREAT|unix.O_EXCL|access, 0o644), unix.EEXIST)
		}
	}
}

// checkOpenNewUnreadable: the mode of a new file does not apply to the open
// that makes it.
func checkOpenNewUnreadable(f *fixture) {
	f.must(f.root.chmod(".", 0o777))
	u := f.as(ownerID, ownerID)
	for _, mode := range []uint32{0, 0o444, 0o222} {
		fd := u.open("x", unix.O_CREAT|unix.O_RDWR, mode)
		f.want(u.pwrite(fd, []byte("hello"), 0))
		r := u.pread(fd, 5, 0)
		f.want(r)
		equal(f, "content", string(r.Data), "hello")
		f.must(u.close(fd))
		f.want(u.touch("x", unix.O_RDWR, 0), unix.EACCES)
		f.must(u.unlink("x"))
	}
}

func checkAppend(f *fixture) {
	a := f.root.open("x", unix.O_CREAT|unix.O_WRONLY|unix.O_APPEND, 0o644)
	b := f.root.open("x", unix.O_WRONLY|unix.O_APPEND, 0)
	// With O_APPEND, pwrite(2) of Linux ignores the offset.
	f.want(f.root.pwrite(a, []byte("one"), 0))
	f.want(f.root.pwrite(b, []byte("two"), 0))
	f.want(f.root.pwrite(a, []byte("three"), 0))
	rd := f.root.open("x", unix.O_RDONLY, 0)
	r := f.root.pread(rd, 100, 0)
	f.must(r)
	equal(f, "content", string(r.Data), "onetwothree")
	for _, fd := range []int{a, b, rd} {
		f.must(f.root.close(fd))
	}
}

func checkTmpfile(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	f.want(f.root.touch("d", unix.O_TMPFILE|unix.O_RDONLY, 0o644), unix.EINVAL)
	f.want(f.as(ownerID, ownerID).touch("d", unix.O_TMPFILE|unix.O_RDWR, 0o644), unix.EACCES)
	fd := f.root.open("d", unix.O_TMPFILE|unix.O_RDWR, 0o640)
	f.want(f.root.pwrite(fd, []byte("hello"), 0))
	r := f.root.fstat(fd)
	f.must(r)
	equal(f, "link count", r.Stat.Nlink, 0)
	equal(f, "size", r.Stat.Size, 5)
	f.must(f.root.close(fd))
	f.want(f.root.rmdir("d"))
}

// checkOpenPath: O_PATH needs no permission on the file and gives none.
func checkOpenPath(f *fixture) {
	f.must(f.root.create("x", 0))
	u := f.as(ownerID, ownerID)
	fd := u.open("x", unix.O_PATH, 0)
	f.want(u.fstat(fd))
	f.want(u.pread(fd, 1, 0), unix.EBADF)
	f.want(u.pwrite(fd, []byte("x"), 0), unix.EBADF)
	f.want(u.fchmod(fd, 0o777), unix.EBADF)
	f.must(u.close(fd))
}
