package posix

import (
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func testRmdir(s *suite, t *testing.T) {
	f := s.fixture(t)
	for _, typ := range allTypes {
		f.must(f.root.mkdir("d", 0o755))
		f.must(typ.make(f.root, "d/x"))
		f.want(f.root.rmdir("d"), unix.ENOTEMPTY, unix.EEXIST)
		f.wantType("d/x", typ.mode)
		if typ.name != dir.name {
			f.want(f.root.rmdir("d/x"), unix.ENOTDIR)
			f.must(f.root.unlink("d/x"))
		} else {
			f.want(f.root.rmdir("d/x"))
		}
		f.wantNlink("d", 2)
		f.want(f.root.rmdir("d"))
		f.wantAbsent("d")
	}
	f.must(f.root.mkdir("d", 0o755))
	f.must(f.root.mkdir("d/e", 0o755))
	f.want(f.root.rmdir("d/e/."), unix.EINVAL)
	f.want(f.root.rmdir("d/e/.."), unix.ENOTEMPTY, unix.EEXIST)
	f.must(f.root.symlink("d", "link"))
	f.want(f.root.rmdir("link"), unix.ENOTDIR)
	checkRemovedDir(f)
}

// checkRemovedDir: a removed directory that is still open is empty and stays so.
func checkRemovedDir(f *fixture) {
	f.must(f.root.mkdir("gone", 0o755))
	fd := f.root.open("gone", unix.O_RDONLY, 0)
	f.must(f.root.rmdir("gone"))
	r := f.root.fstat(fd)
	f.must(r)
	equal(f, "link count of a removed directory", r.Stat.Nlink, 0)
	path := func(name string) string { return "/proc/self/fd/" + strconv.Itoa(fd) + "/" + name }
	f.want(f.root.create(path("x"), 0o644), unix.ENOENT)
	f.want(f.root.mkdir(path("x"), 0o755), unix.ENOENT)
	f.want(f.root.symlink("test", path("x")), unix.ENOENT)
	f.want(f.root.link("d", path("x")), unix.ENOENT, unix.EPERM)
	f.must(f.root.close(fd))
}
