package posix

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func testRename(s *suite, t *testing.T) {
	for _, typ := range allTypes {
		t.Run("a "+typ.name, func(t *testing.T) { checkRename(s.fixture(t), typ) })
		for _, over := range allTypes {
			t.Run(fmt.Sprintf("a %s over a %s", typ.name, over.name), func(t *testing.T) {
				checkRenameOver(s.fixture(t), typ, over)
			})
		}
	}
	t.Run("two names of one file", func(t *testing.T) { checkRenameSame(s.fixture(t)) })
	t.Run("a directory into itself", func(t *testing.T) { checkRenameIntoItself(s.fixture(t)) })
	t.Run("over a directory with entries", func(t *testing.T) { checkRenameNotEmpty(s.fixture(t)) })
	t.Run("dot and dot-dot", func(t *testing.T) { checkRenameDots(s.fixture(t)) })
	t.Run("a directory to another parent", func(t *testing.T) { checkRenameDotDot(s.fixture(t)) })
	t.Run("a directory that may not be written", func(t *testing.T) { checkRenameReadOnlyDir(s.fixture(t)) })
	t.Run("with a trailing slash", func(t *testing.T) { checkRenameSlash(s.fixture(t)) })
	t.Run("flags", func(t *testing.T) { checkRenameFlags(s.fixture(t)) })
}

func checkRename(f *fixture, typ fileType) {
	f.must(f.root.mkdir("d", 0o755))
	f.make(typ, "a", ownerID, strangerID)
	before := f.lstat("a")
	for _, c := range []struct{ from, to string }{{"a", "b"}, {"b", "d/c"}, {"d/c", "d/d"}, {"d/d", "a"}} {
		f.want(f.root.rename(c.from, c.to))
		f.wantAbsent(c.from)
		after := f.lstat(c.to)
		after.Ctim = before.Ctim
		equal(f, "attributes but ctime", after, before)
	}
	if typ.name == dir.name {
		return
	}
	f.must(f.root.link("a", "b"))
	f.want(f.root.rename("b", "d/c"))
	f.wantNlink("a", 2)
	f.wantNlink("d/c", 2)
	f.wantInode("d/c", before.Ino)
}

// checkRenameOver: a directory replaces only an empty directory and anything
// else replaces anything else.
func checkRenameOver(f *fixture, typ, over fileType) {
	f.must(typ.make(f.root, "from"))
	f.must(over.make(f.root, "to"))
	from, to := f.lstat("from"), f.lstat("to")
	r := f.root.rename("from", "to")
	switch {
	case typ.name == dir.name && over.name != dir.name:
		f.want(r, unix.ENOTDIR)
	case typ.name != dir.name && over.name == dir.name:
		f.want(r, unix.EISDIR)
	default:
		f.want(r)
		f.wantAbsent("from")
		f.wantInode("to", from.Ino)
		f.wantType("to", typ.mode)
		return
	}
	equal(f, "from", f.lstat("from"), from)
	equal(f, "to", f.lstat("to"), to)
}

// checkRenameSame: renaming a name over another of the same file does nothing.
func checkRenameSame(f *fixture) {
	for _, typ := range nonDirs {
		f.must(typ.make(f.root, "a"))
		f.must(f.root.link("a", "b"))
		before := f.lstat("a")
		f.want(f.root.rename("a", "b"))
		f.want(f.root.rename("b", "b"))
		equal(f, "a", f.lstat("a"), before)
		equal(f, "b", f.lstat("b"), before)
		f.remove("a")
		f.remove("b")
	}
	f.must(f.root.mkdir("d", 0o755))
	f.want(f.root.rename("d", "d"))
}

func checkRenameIntoItself(f *fixture) {
	f.must(f.root.mkdir("a", 0o755))
	f.must(f.root.mkdir("a/b", 0o755))
	f.must(f.root.mkdir("a/b/c", 0o755))
	for _, to := range []string{"a/x", "a/b/x", "a/b/c/x", "a/b/c"} {
		f.want(f.root.rename("a", to), unix.EINVAL)
	}
	f.want(f.root.rename("a/b/c", "a"), unix.ENOTEMPTY)
	f.want(f.root.rename("a/b", "a"), unix.ENOTEMPTY)
	f.wantNlink("a", 3)
}

func checkRenameNotEmpty(f *fixture) {
	for _, typ := range allTypes {
		f.must(f.root.mkdir("from", 0o755))
		f.must(f.root.mkdir("to", 0o755))
		f.must(typ.make(f.root, "to/x"))
		f.want(f.root.rename("from", "to"), unix.ENOTEMPTY, unix.EEXIST)
		f.wantType("to/x", typ.mode)
		f.remove("to/x")
		f.want(f.root.rename("from", "to"))
		f.remove("to")
	}
}

func checkRenameDots(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	for _, dots := range []string{"d/.", "d/.."} {
		f.want(f.root.rename(dots, "x"), unix.EINVAL, unix.EBUSY)
		f.want(f.root.rename("d", dots), unix.EINVAL, unix.EBUSY, unix.EEXIST, unix.ENOTEMPTY)
	}
	f.wantType("d", unix.S_IFDIR)
}

// checkRenameDotDot: ".." of a moved directory is its new parent, and the link
// counts of both parents follow.
func checkRenameDotDot(f *fixture) {
	f.must(f.root.mkdir("a", 0o755))
	f.must(f.root.mkdir("b", 0o755))
	f.must(f.root.mkdir("a/x", 0o755))
	f.wantNlink("a", 3)
	f.wantNlink("b", 2)
	f.wantInode("a/x/..", f.lstat("a").Ino)
	f.want(f.root.rename("a/x", "b/y"))
	f.wantNlink("a", 2)
	f.wantNlink("b", 3)
	f.wantInode("b/y/..", f.lstat("b").Ino)
	// Over an empty directory the count of the target stays.
	f.must(f.root.mkdir("a/z", 0o755))
	f.want(f.root.rename("b/y", "a/z"))
	f.wantNlink("a", 3)
	f.wantNlink("b", 2)
	f.wantInode("a/z/..", f.lstat("a").Ino)
}

func checkRenameReadOnlyDir(f *fixture) {
	f.must(f.root.mkdir("a", 0o777))
	f.must(f.root.mkdir("b", 0o777))
	u := f.as(ownerID, ownerID)
	f.must(f.root.mkdir("a/x", 0o700))
	f.want(u.rename("a/x", "a/y"))
	f.want(u.rename("a/y", "b/y"), unix.EACCES)
	f.wantType("a/y", unix.S_IFDIR)
	f.must(f.root.create("a/file", 0))
	f.want(u.rename("a/file", "b/file"))
}

func checkRenameSlash(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	f.must(f.root.create("x", 0o644))
	f.want(f.root.rename("d/", "e/"))
	f.wantType("e", unix.S_IFDIR)
	f.want(f.root.rename("x", "y/"), unix.ENOTDIR)
	f.want(f.root.rename("x/", "y"), unix.ENOTDIR)
	f.wantType("x", unix.S_IFREG)
}

func checkRenameFlags(f *fixture) {
	for _, typ := range allTypes {
		for _, over := range allTypes {
			f.must(f.root.mkdir("p", 0o755))
			f.must(f.root.mkdir("q", 0o755))
			f.must(typ.make(f.root, "p/a"))
			f.must(over.make(f.root, "q/b"))
			a, b := f.lstat("p/a"), f.lstat("q/b")
			f.want(f.root.renameFlags("p/a", "q/b", unix.RENAME_NOREPLACE), unix.EEXIST)
			f.want(f.root.renameFlags("p/a", "q/b", unix.RENAME_EXCHANGE))
			f.wantInode("q/b", a.Ino)
			f.wantInode("p/a", b.Ino)
			f.wantNlink("p", dirLinks(over))
			f.wantNlink("q", dirLinks(typ))
			f.want(f.root.renameFlags("p/a", "p/new", unix.RENAME_NOREPLACE))
			f.wantInode("p/new", b.Ino)
			for _, path := range []string{"p/new", "q/b", "p", "q"} {
				f.remove(path)
			}
		}
	}
	f.must(f.root.create("x", 0o644))
	f.want(f.root.renameFlags("x", "missing", unix.RENAME_EXCHANGE), unix.ENOENT)
	f.want(f.root.renameFlags("x", "y", unix.RENAME_EXCHANGE|unix.RENAME_NOREPLACE), unix.EINVAL)
	f.want(f.root.renameFlags("x", "y", 1<<10), unix.EINVAL)
	f.must(f.root.mkdir("d", 0o755))
	f.must(f.root.mkdir("d/e", 0o755))
	f.want(f.root.renameFlags("d", "d/e", unix.RENAME_EXCHANGE), unix.EINVAL)
	f.want(f.root.renameFlags("d/e", "d", unix.RENAME_EXCHANGE), unix.EINVAL)
	f.want(f.root.renameFlags("x", "y", unix.RENAME_WHITEOUT))
	f.wantType("x", unix.S_IFCHR)
	equal(f, "device number of the whiteout", f.lstat("x").Rdev, 0)
	f.wantType("y", unix.S_IFREG)
}

// dirLinks is the link count of a directory with one entry.
func dirLinks(entry fileType) uint64 {
	if entry.name == dir.name {
		return 3
	}
	return 2
}
