package posix

import "golang.org/x/sys/unix"

// The system calls of a user, with the arguments in their usual order.

func (u user) mkdir(path string, mode uint32) result {
	u.f.t.Helper()
	return u.do(call{Op: "mkdir", Path: path, Mode: mode})
}

func (u user) mkfifo(path string, mode uint32) result {
	u.f.t.Helper()
	return u.do(call{Op: "mkfifo", Path: path, Mode: mode})
}

func (u user) mknod(path string, mode uint32, dev uint64) result {
	u.f.t.Helper()
	return u.do(call{Op: "mknod", Path: path, Mode: mode, Dev: dev})
}

func (u user) bind(path string) result {
	u.f.t.Helper()
	return u.do(call{Op: "bind", Path: path})
}

func (u user) symlink(target, path string) result {
	u.f.t.Helper()
	return u.do(call{Op: "symlink", Path: target, Path2: path})
}

func (u user) readlink(path string) result {
	u.f.t.Helper()
	return u.do(call{Op: "readlink", Path: path})
}

func (u user) link(from, to string) result {
	u.f.t.Helper()
	return u.do(call{Op: "link", Path: from, Path2: to})
}

func (u user) rename(from, to string) result {
	u.f.t.Helper()
	return u.do(call{Op: "rename", Path: from, Path2: to})
}

func (u user) renameFlags(from, to string, flags int) result {
	u.f.t.Helper()
	return u.do(call{Op: "rename", Path: from, Path2: to, Flags: flags})
}

func (u user) unlink(path string) result {
	u.f.t.Helper()
	return u.do(call{Op: "unlink", Path: path})
}

func (u user) rmdir(path string) result {
	u.f.t.Helper()
	return u.do(call{Op: "rmdir", Path: path})
}

func (u user) chmod(path string, mode uint32) result {
	u.f.t.Helper()
	return u.do(call{Op: "chmod", Path: path, Mode: mode})
}

func (u user) fchmod(fd int, mode uint32) result {
	u.f.t.Helper()
	return u.do(call{Op: "fchmod", FD: fd, Mode: mode})
}

func (u user) chown(path string, uid, gid int) result {
	u.f.t.Helper()
	return u.do(call{Op: "chown", Path: path, UID: uid, GID: gid})
}

func (u user) lchown(path string, uid, gid int) result {
	u.f.t.Helper()
	return u.do(call{Op: "lchown", Path: path, UID: uid, GID: gid})
}

func (u user) fchown(fd, uid, gid int) result {
	u.f.t.Helper()
	return u.do(call{Op: "fchown", FD: fd, UID: uid, GID: gid})
}

func (u user) truncate(path string, size int64) result {
	u.f.t.Helper()
	return u.do(call{Op: "truncate", Path: path, Size: size})
}

func (u user) ftruncate(fd int, size int64) result {
	u.f.t.Helper()
	return u.do(call{Op: "ftruncate", FD: fd, Size: size})
}

func (u user) fallocate(fd, mode int, off, size int64) result {
	u.f.t.Helper()
	return u.do(call{Op: "fallocate", FD: fd, Flags: mode, Off: off, Size: size})
}

// utimensat sets the times of path; nil times mean now.
func (u user) utimensat(path string, flags int, times ...unix.Timespec) result {
	u.f.t.Helper()
	return u.do(call{Op: "utimensat", Path: path, Flags: flags, Times: times})
}

func (u user) stat(path string) result {
	u.f.t.Helper()
	return u.do(call{Op: "stat", Path: path})
}

func (u user) lstat(path string) result {
	u.f.t.Helper()
	return u.do(call{Op: "lstat", Path: path})
}

func (u user) fstat(fd int) result {
	u.f.t.Helper()
	return u.do(call{Op: "fstat", FD: fd})
}

// touch opens a file and closes it again.
func (u user) touch(path string, flags int, mode uint32) result {
	u.f.t.Helper()
	return u.do(call{Op: "open", Path: path, Flags: flags, Mode: mode, Quiet: true})
}

// create is creat(2), but fails if the file exists.
func (u user) create(path string, mode uint32) result {
	u.f.t.Helper()
	return u.touch(path, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, mode)
}

// open returns an open file, or ends the test.
func (u user) open(path string, flags int, mode uint32) int {
	u.f.t.Helper()
	r := u.do(call{Op: "open", Path: path, Flags: flags, Mode: mode})
	if r.Errno != 0 {
		u.f.t.Fatalf("cannot go on: %v", r)
	}
	return r.FD
}

func (u user) close(fd int) result {
	u.f.t.Helper()
	return u.do(call{Op: "close", FD: fd})
}

func (u user) setxattr(path, name string, value []byte, flags int) result {
	u.f.t.Helper()
	return u.do(call{Op: "setxattr", Path: path, Name: name, Data: value, Flags: flags})
}

func (u user) getxattr(path, name string, size int) result {
	u.f.t.Helper()
	return u.do(call{Op: "getxattr", Path: path, Name: name, BufLen: size})
}

func (u user) removexattr(path, name string) result {
	u.f.t.Helper()
	return u.do(call{Op: "removexattr", Path: path, Name: name})
}

func (u user) pwrite(fd int, data []byte, off int64) result {
	u.f.t.Helper()
	return u.do(call{Op: "pwrite", FD: fd, Data: data, Off: off})
}

func (u user) pread(fd, n int, off int64) result {
	u.f.t.Helper()
	return u.do(call{Op: "pread", FD: fd, BufLen: n, Off: off})
}
