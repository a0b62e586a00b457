package posix

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// testSticky checks the rule of the sticky bit: an entry of a sticky directory
// may be removed or renamed by the owner of the entry, by the owner of the
// directory and by root only, whoever may write to the directory.
func testSticky(s *suite, t *testing.T) {
	t.Run("unlink", func(t *testing.T) { checkStickyUnlink(s, t) })
	t.Run("rmdir", func(t *testing.T) { checkStickyRmdir(s, t) })
	t.Run("rename from", func(t *testing.T) { checkStickyRenameFrom(s, t) })
	t.Run("rename to", func(t *testing.T) { checkStickyRenameTo(s, t) })
	t.Run("rename a directory", func(t *testing.T) { checkStickyRenameDir(s, t) })
	t.Run("link and create", func(t *testing.T) { checkStickyCreate(s, t) })
}

// ids are the users that own directories and files in the sticky tests; the
// caller is always ownerID or root.
var ids = []int{0, ownerID, strangerID}

// stickyAllows reports whether a caller may remove an entry.
func stickyAllows(caller, dirOwner, fileOwner int) bool {
	return caller == 0 || caller == dirOwner || caller == fileOwner
}

// forOwners calls fn for each combination of caller and owners, in a fixture
// with a sticky directory "sticky" of that owner and a plain one "plain".
func (s *suite) forOwners(t *testing.T, fn func(f *fixture, caller user, fileOwner int, allowed bool)) {
	f := s.fixture(t)
	f.must(f.root.mkdir("plain", 0o777))
	f.must(f.root.mkdir("sticky", 0o777))
	f.must(f.root.chmod("sticky", 0o1777))
	for _, caller := range []int{0, ownerID} {
		f.must(f.root.chown("plain", caller, caller))
		for _, dirOwner := range ids {
			f.must(f.root.chown("sticky", dirOwner, dirOwner))
			for _, fileOwner := range ids {
				label := fmt.Sprintf("caller %d, directory of %d, file of %d", caller, dirOwner, fileOwner)
				ok := t.Run(label, func(t *testing.T) {
					sub := f.on(t)
					fn(sub, sub.as(caller, caller), fileOwner, stickyAllows(caller, dirOwner, fileOwner))
				})
				if !ok {
					return // the directory may not be as the next one expects
				}
			}
		}
	}
}

// wantIf expects success if allowed and a denial otherwise.
func (f *fixture) wantIf(allowed bool, r result) {
	f.t.Helper()
	if allowed {
		f.want(r)
		return
	}
	f.want(r, unix.EPERM, unix.EACCES)
}

func checkStickyUnlink(s *suite, t *testing.T) {
	s.forOwners(t, func(f *fixture, caller user, fileOwner int, allowed bool) {
		for _, typ := range nonDirs {
			f.make(typ, "sticky/x", fileOwner, fileOwner)
			f.wantIf(allowed, caller.unlink("sticky/x"))
			if allowed {
				f.wantAbsent("sticky/x")
				continue
			}
			f.wantOwner("sticky/x", uint32(fileOwner), uint32(fileOwner))
			f.remove("sticky/x")
		}
	})
}

func checkStickyRmdir(s *suite, t *testing.T) {
	s.forOwners(t, func(f *fixture, caller user, fileOwner int, allowed bool) {
		f.make(dir, "sticky/x", fileOwner, fileOwner)
		f.wantIf(allowed, caller.rmdir("sticky/x"))
		if allowed {
			f.wantAbsent("sticky/x")
			return
		}
		f.remove("sticky/x")
	})
}

func checkStickyRenameFrom(s *suite, t *testing.T) {
	s.forOwners(t, func(f *fixture, caller user, fileOwner int, allowed bool) {
		for _, from := range nonDirs {
			f.make(from, "sticky/x", fileOwner, fileOwner)
			ino := f.lstat("sticky/x").Ino
			for _, over := range append([]fileType{{name: "nothing"}}, nonDirs...) {
				if over.make != nil {
					f.make(over, "plain/y", caller.h.who.UID, caller.h.who.UID)
				}
				f.wantIf(allowed, caller.rename("sticky/x", "plain/y"))
				if allowed {
					f.wantAbsent("sticky/x")
					f.wantInode("plain/y", ino)
					f.wantOwner("plain/y", uint32(fileOwner), uint32(fileOwner))
					f.want(caller.rename("plain/y", "sticky/x"))
					continue
				}
				f.wantInode("sticky/x", ino)
				if over.make != nil {
					f.remove("plain/y")
				} else {
					f.wantAbsent("plain/y")
				}
			}
			f.remove("sticky/x")
		}
	})
}

func checkStickyRenameTo(s *suite, t *testing.T) {
	s.forOwners(t, func(f *fixture, caller user, fileOwner int, allowed bool) {
		for _, from := range nonDirs {
			for _, over := range nonDirs {
				f.make(from, "plain/x", caller.h.who.UID, caller.h.who.UID)
				f.make(over, "sticky/y", fileOwner, fileOwner)
				ino, overIno := f.lstat("plain/x").Ino, f.lstat("sticky/y").Ino
				f.wantIf(allowed, caller.rename("plain/x", "sticky/y"))
				if allowed {
					f.wantAbsent("plain/x")
					f.wantInode("sticky/y", ino)
					f.remove("sticky/y")
					continue
				}
				f.wantInode("plain/x", ino)
				f.wantInode("sticky/y", overIno)
				f.remove("plain/x")
				f.remove("sticky/y")
			}
		}
	})
}

// checkStickyRenameDir: moving a directory to another parent changes its ".."
// and hence needs write permission on the directory itself too.
func checkStickyRenameDir(s *suite, t *testing.T) {
	s.forOwners(t, func(f *fixture, caller user, fileOwner int, allowed bool) {
		uid := caller.h.who.UID
		writable := uid == 0 || uid == fileOwner
		f.make(dir, "sticky/x", fileOwner, fileOwner)
		f.wantIf(allowed && writable, caller.rename("sticky/x", "plain/y"))
		if allowed && writable {
			f.must(f.root.rename("plain/y", "sticky/x"))
		}
		f.wantIf(allowed, caller.rename("sticky/x", "sticky/z"))
		if allowed {
			f.must(f.root.rename("sticky/z", "sticky/x"))
		}
		// Over an empty directory in the sticky one.
		f.make(dir, "plain/from", uid, uid)
		f.wantIf(allowed, caller.rename("plain/from", "sticky/x"))
		f.remove("sticky/x")
		if !allowed {
			f.remove("plain/from")
		}
	})
}

// checkStickyCreate: the sticky bit keeps nobody from adding entries.
func checkStickyCreate(s *suite, t *testing.T) {
	s.forOwners(t, func(f *fixture, caller user, fileOwner int, _ bool) {
		f.want(caller.create("sticky/new", 0o644))
		f.want(caller.link("sticky/new", "sticky/link"))
		f.want(caller.unlink("sticky/link"))
		f.want(caller.rename("sticky/new", "sticky/renamed"))
		f.remove("sticky/renamed")
		f.make(regular, "sticky/x", fileOwner, fileOwner)
		f.must(f.root.chmod("sticky/x", 0o666))
		f.want(caller.touch("sticky/x", unix.O_RDWR, 0))
		f.remove("sticky/x")
	})
}
