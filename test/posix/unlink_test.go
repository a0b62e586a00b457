package posix

import (
	"testing"

	"golang.org/x/sys/unix"
)

func testUnlink(s *suite, t *testing.T) {
	f := s.fixture(t)
	for _, typ := range nonDirs {
		f.must(typ.make(f.root, "x"))
		f.wantType("x", typ.mode)
		f.want(f.root.unlink("x"))
		f.wantAbsent("x")
		f.want(f.root.unlink("x"), unix.ENOENT)
	}
	f.must(f.root.mkdir("d", 0o755))
	f.want(f.root.unlink("d"), unix.EISDIR)
	f.want(f.root.unlink("d/."), unix.EISDIR)
	f.wantType("d", unix.S_IFDIR)
	f.must(f.root.symlink("d", "link"))
	f.want(f.root.unlink("link"))
	f.wantType("d", unix.S_IFDIR)
	t.Run("an open file", func(t *testing.T) { checkUnlinkOpen(s.fixture(t)) })
	t.Run("an inode is not reused while open", func(t *testing.T) { checkInodeNotReused(s.fixture(t)) })
}

// checkUnlinkOpen: an unlinked file lives on for those who have it open.
func checkUnlinkOpen(f *fixture) {
	fd := f.root.open("x", unix.O_CREAT|unix.O_RDWR, 0o644)
	other := f.root.open("x", unix.O_RDONLY, 0)
	f.want(f.root.pwrite(fd, []byte("Hello, World!"), 0))
	f.want(f.root.unlink("x"))
	f.wantAbsent("x")
	for _, h := range []int{fd, other} {
		r := f.root.fstat(h)
		f.must(r)
		equal(f, "link count", r.Stat.Nlink, 0)
		r = f.root.pread(h, 100, 0)
		f.must(r)
		equal(f, "content", string(r.Data), "Hello, World!")
	}
	f.want(f.root.pwrite(fd, []byte("again"), blockSize))
	r := f.root.pread(other, 100, blockSize)
	f.must(r)
	equal(f, "content", string(r.Data), "again")
	f.want(f.root.fchmod(fd, 0o600))
	f.must(f.root.close(fd))
	f.must(f.root.close(other))
}

func checkInodeNotReused(f *fixture) {
	fd := f.root.open("x", unix.O_CREAT|unix.O_RDWR, 0o644)
	ino := f.lstat("x").Ino
	f.must(f.root.unlink("x"))
	for range 20 {
		f.must(f.root.create("x", 0o644))
		equal(f, "new inode differs", f.lstat("x").Ino != ino, true)
		f.remove("x")
	}
	f.must(f.root.close(fd))
}
