package posix

import (
	"testing"

	"golang.org/x/sys/unix"
)

func testLink(s *suite, t *testing.T) {
	for _, typ := range exclude(allTypes, dir) {
		t.Run("a "+typ.name, func(t *testing.T) { checkLink(s.fixture(t), typ) })
	}
	t.Run("a directory", func(t *testing.T) { checkLinkDir(s.fixture(t)) })
	t.Run("to another file system", func(t *testing.T) { checkLinkElsewhere(s.fixture(t)) })
	t.Run("content is shared", func(t *testing.T) { checkLinkContent(s.fixture(t)) })
}

// checkLink: all names are equal, and the node lives until the last one goes.
func checkLink(f *fixture, typ fileType) {
	f.make(typ, "a", 0, 0)
	f.must(f.root.mkdir("d", 0o755))
	f.wantNlink("a", 1)
	names := []string{"a"}
	for i, name := range []string{"b", "d/c", "d/d"} {
		f.want(f.root.link(names[i], name))
		names = append(names, name)
		for _, n := range names {
			f.wantNlink(n, uint64(len(names)))
			f.wantInode(n, f.lstat("a").Ino)
			f.wantType(n, typ.mode)
		}
	}
	if typ.name != symlink.name {
		f.want(f.root.chmod("b", 0o201))
	}
	f.want(f.root.lchown("d/c", ownerID, strangerID))
	for len(names) > 0 {
		for _, n := range names {
			equal(f, n+": attributes", f.lstat(n), f.lstat(names[0]))
			f.wantOwner(n, ownerID, strangerID)
			f.wantNlink(n, uint64(len(names)))
		}
		f.want(f.root.unlink(names[0]))
		f.wantAbsent(names[0])
		names = names[1:]
	}
}

func checkLinkDir(f *fixture) {
	f.must(f.root.mkdir("d", 0o777))
	f.must(f.root.chown("d", ownerID, ownerID))
	f.must(f.root.chmod(".", 0o777))
	f.want(f.root.link("d", "e"), unix.EPERM)
	f.want(f.as(ownerID, ownerID).link("d", "e"), unix.EPERM)
	f.want(f.root.link("d/.", "e"), unix.EPERM)
	f.wantAbsent("e")
	f.wantNlink("d", 2)
}

func checkLinkElsewhere(f *fixture) {
	f.must(f.root.create("x", 0o644))
	f.want(f.root.link("x", "/dev/x"), unix.EXDEV)
	f.want(f.root.link("/dev/null", "y"), unix.EXDEV)
	f.want(f.root.rename("x", "/dev/x"), unix.EXDEV)
	f.wantNlink("x", 1)
}

func checkLinkContent(f *fixture) {
	fd := f.root.open("a", unix.O_CREAT|unix.O_RDWR, 0o644)
	f.must(f.root.link("a", "b"))
	f.must(f.root.pwrite(fd, []byte("hello"), 0))
	f.wantSize("b", 5)
	f.must(f.root.unlink("a"))
	f.must(f.root.truncate("b", 3))
	r := f.root.pread(fd, 10, 0)
	f.must(r)
	equal(f, "content", string(r.Data), "hel")
	f.must(f.root.close(fd))
}
