package posix

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

// creators make a file with a mode given by the caller.
var creators = []struct {
	name string
	mode uint32 // type
	do   func(u user, path string, mode uint32) result
}{
	{"open", unix.S_IFREG, func(u user, p string, m uint32) result { return u.create(p, m) }},
	{"mkdir", unix.S_IFDIR, func(u user, p string, m uint32) result { return u.mkdir(p, m) }},
	{"mkfifo", unix.S_IFIFO, func(u user, p string, m uint32) result { return u.mkfifo(p, m) }},
	{"mknod regular", unix.S_IFREG, func(u user, p string, m uint32) result { return u.mknod(p, unix.S_IFREG|m, 0) }},
	{"mknod fifo", unix.S_IFIFO, func(u user, p string, m uint32) result { return u.mknod(p, unix.S_IFIFO|m, 0) }},
	{"mknod socket", unix.S_IFSOCK, func(u user, p string, m uint32) result { return u.mknod(p, unix.S_IFSOCK|m, 0) }},
}

// testCreate tests what all calls that make files have in common, and mknod.
func testCreate(s *suite, t *testing.T) {
	for _, c := range creators {
		t.Run(c.name, func(t *testing.T) {
			t.Run("mode and umask", func(t *testing.T) {
				f := s.fixture(t)
				for _, mode := range []uint32{0o755, 0o151, 0o345, 0o777, 0o000, 0o4755, 0o2755, 0o1755, 0o7777} {
					for _, umask := range []int{0, 0o077, 0o070, 0o501, 0o022, 0o777} {
						f.want(c.do(f.root.with(umask), "x", mode))
						// mkdir(2) of Linux keeps the sticky bit and no other special one.
						want := mode &^ uint32(umask)
						if c.mode == unix.S_IFDIR {
							want &= 0o1777
						}
						f.wantMode("x", want)
						f.wantType("x", c.mode)
						f.remove("x")
					}
				}
			})
			t.Run("owner", func(t *testing.T) {
				checkNewOwner(s.fixture(t), func(u user) result { return c.do(u, "d/x", 0o644) }, c.mode)
			})
		})
	}
	t.Run("symlink/owner", func(t *testing.T) {
		checkNewOwner(s.fixture(t), func(u user) result { return u.symlink("test", "d/x") }, unix.S_IFLNK)
	})
	t.Run("bind/owner", func(t *testing.T) {
		checkNewOwner(s.fixture(t), func(u user) result { return u.bind("d/x") }, unix.S_IFSOCK)
	})
	t.Run("setgid without the group", func(t *testing.T) { checkSetgidStrip(s.fixture(t)) })
	t.Run("mknod of a device", func(t *testing.T) { checkDevices(s.fixture(t)) })
	t.Run("link counts of directories", func(t *testing.T) { checkDirLinks(s.fixture(t)) })
	t.Run("an empty directory", func(t *testing.T) { checkEmptyDir(s.fixture(t)) })
}

// checkNewOwner: a new file belongs to the caller and to its effective group, or
// to the group of the directory if that has setgid.
func checkNewOwner(f *fixture, do func(user) result, fileType uint32) {
	f.t.Helper()
	f.must(f.root.mkdir("d", 0o777))
	const dirGroup = 65530
	for _, setgid := range []bool{false, true} {
		for _, dirOwner := range []int{0, ownerID} {
			f.must(f.root.chown("d", dirOwner, dirGroup))
			mode := uint32(0o777)
			if setgid {
				mode |= unix.S_ISGID
			}
			f.must(f.root.chmod("d", mode))
			for _, u := range []user{f.root, f.as(ownerID, ownerID), f.as(ownerID, strangerID), f.as(strangerID, 7, dirGroup)} {
				f.want(do(u))
				group := uint32(u.h.who.Groups[0])
				if setgid {
					group = dirGroup
				}
				f.wantOwner("d/x", uint32(u.h.who.UID), group)
				f.wantType("d/x", fileType)
				if fileType == unix.S_IFDIR {
					equal(f, "setgid of the new directory", f.lstat("d/x").Mode&unix.S_ISGID != 0, setgid)
				}
				f.remove("d/x")
			}
		}
	}
}

// checkSetgidStrip: somebody outside the group of a setgid directory cannot
// make an executable file with setgid of that group.
func checkSetgidStrip(f *fixture) {
	f.must(f.root.mkdir("d", 0o777))
	f.must(f.root.chown("d", 0, ownerID))
	f.must(f.root.chmod("d", 0o2777))
	for _, c := range []struct {
		who  user
		mode uint32
		want uint32
	}{
		{f.as(strangerID, strangerID), 0o2755, 0o755},
		{f.as(strangerID, strangerID), 0o6755, 0o4755},
		{f.as(strangerID, strangerID), 0o2744, 0o2744}, // not executable: mandatory locking of old
		{f.as(strangerID, ownerID), 0o2755, 0o2755},
		{f.as(strangerID, 1, ownerID), 0o2755, 0o2755},
		{f.root, 0o2755, 0o2755},
	} {
		f.want(c.who.create("d/x", c.mode))
		f.wantMode("d/x", c.want)
		f.remove("d/x")
	}
}

func checkDevices(f *fixture) {
	devices := []uint64{unix.Mkdev(0, 0), unix.Mkdev(1, 3), unix.Mkdev(8, 17), unix.Mkdev(255, 255), unix.Mkdev(259, 65535), unix.Mkdev(4095, 1048575)}
	for _, typ := range []uint32{unix.S_IFCHR, unix.S_IFBLK} {
		for _, dev := range devices {
			f.want(f.root.mknod("x", typ|0o640, dev))
			f.wantType("x", typ)
			f.wantMode("x", 0o640)
			equal(f, "device number", f.lstat("x").Rdev, dev)
			f.remove("x")
		}
		f.must(f.root.chmod(".", 0o777))
		f.want(f.as(ownerID, ownerID).mknod("x", typ|0o640, devices[1]), unix.EPERM)
		f.wantAbsent("x")
	}
	f.want(f.as(ownerID, ownerID).mknod("x", unix.S_IFIFO|0o644, 0))
	f.want(f.root.mknod("d", unix.S_IFDIR|0o755, 0), unix.EPERM)
	f.want(f.root.mknod("l", unix.S_IFLNK|0o755, 0), unix.EINVAL)
}

func checkDirLinks(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	f.wantNlink("d", 2)
	for i := range 5 {
		f.must(f.root.mkdir(fmt.Sprint("d/", i), 0o755))
		f.wantNlink("d", uint64(3+i))
	}
	f.must(f.root.create("d/file", 0o644))
	f.wantNlink("d", 7)
	for i := range 5 {
		f.must(f.root.rmdir(fmt.Sprint("d/", i)))
		f.wantNlink("d", uint64(6-i))
	}
}

func checkEmptyDir(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	equal(f, "d/. is d", f.lstat("d/.").Ino, f.lstat("d").Ino)
	equal(f, "d/.. is the parent", f.lstat("d/..").Ino, f.lstat(".").Ino)
	f.want(f.root.mkdir("trailing/", 0o755))
	f.wantType("trailing", unix.S_IFDIR)
	f.want(f.root.rmdir("trailing/"))
}
