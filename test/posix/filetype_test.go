package posix

import "golang.org/x/sys/unix"

// A fileType is one of the seven types of files, with a way to make one.
type fileType struct {
	name string
	mode uint32 // type bits of stat(2)
	make func(u user, path string) result
}

var testDevice = unix.Mkdev(1, 2)

var (
	regular = fileType{"regular", unix.S_IFREG, func(u user, p string) result { return u.create(p, 0o644) }}
	dir     = fileType{"dir", unix.S_IFDIR, func(u user, p string) result { return u.mkdir(p, 0o755) }}
	fifo    = fileType{"fifo", unix.S_IFIFO, func(u user, p string) result { return u.mkfifo(p, 0o644) }}
	block   = fileType{"block", unix.S_IFBLK, func(u user, p string) result { return u.mknod(p, unix.S_IFBLK|0o644, testDevice) }}
	char    = fileType{"char", unix.S_IFCHR, func(u user, p string) result { return u.mknod(p, unix.S_IFCHR|0o644, testDevice) }}
	socket  = fileType{"socket", unix.S_IFSOCK, func(u user, p string) result { return u.bind(p) }}
	symlink = fileType{"symlink", unix.S_IFLNK, func(u user, p string) result { return u.symlink("test", p) }}

	// withMode are the types that have permission bits of their own.
	withMode = []fileType{regular, dir, fifo, block, char, socket}
	// nonDirs are the types that unlink removes.
	nonDirs  = []fileType{regular, fifo, block, char, socket, symlink}
	allTypes = []fileType{regular, dir, fifo, block, char, socket, symlink}
)

// make creates a file of a type as root and gives it to a user.
func (f *fixture) make(typ fileType, path string, uid, gid int) {
	f.t.Helper()
	f.must(typ.make(f.root, path))
	f.must(f.root.lchown(path, uid, gid))
}

// remove removes a file of any type.
func (f *fixture) remove(path string) {
	f.t.Helper()
	if f.lstat(path).Mode&unix.S_IFMT == unix.S_IFDIR {
		f.must(f.root.rmdir(path))
		return
	}
	f.must(f.root.unlink(path))
}
