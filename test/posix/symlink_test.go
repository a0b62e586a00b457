package posix

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func testSymlink(s *suite, t *testing.T) {
	f := s.fixture(t)
	for _, target := range []string{
		"x", "/", ".", "..", "a/b/c", "../../..", "//double//slash/", "with space", "ümläut", "\xff\xfe not UTF-8",
		strings.Repeat("t", 59), strings.Repeat("t", 60), strings.Repeat("t", 255), strings.Repeat("t", 256),
		strings.Repeat("0123456/", 511) + "1234567", // PATH_MAX-1
	} {
		f.want(f.root.symlink(target, "link"))
		f.wantType("link", unix.S_IFLNK)
		f.wantMode("link", 0o777)
		f.wantSize("link", int64(len(target)))
		r := f.root.readlink("link")
		f.must(r)
		equal(f, "target", string(r.Data), target)
		f.want(f.root.unlink("link"))
		f.wantAbsent("link")
	}
	f.want(f.root.symlink(strings.Repeat("t", unix.PathMax), "link"), unix.ENAMETOOLONG)
	f.want(f.root.symlink("", "link"), unix.ENOENT)
	f.wantAbsent("link")

	f.must(f.root.create("file", 0o640))
	f.must(f.root.symlink("file", "link"))
	r := f.root.stat("link")
	f.must(r)
	equal(f, "what the link points to", r.Stat, f.lstat("file"))
	for _, typ := range exclude(allTypes, symlink) {
		f.must(typ.make(f.root, typ.name))
		f.want(f.root.readlink(typ.name), unix.EINVAL)
	}
	f.must(f.root.mkdir("d", 0o755))
	f.must(f.root.create("d/x", 0o644))
	f.must(f.root.symlink("d", "to-dir"))
	f.wantInode("to-dir/x", f.lstat("d/x").Ino)
	f.wantInode("to-dir/.", f.lstat("d").Ino)
}
