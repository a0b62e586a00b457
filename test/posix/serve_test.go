package posix

import (
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// helperEnv is set in the environment of a helper process.
const helperEnv = "SWARMFS_POSIX_HELPER"

// A credential is who a helper is. The first group is the effective one.
type credential struct {
	UID    int
	Groups []int
}

// serveCalls is the main function of a helper process: it becomes the user
// that the first message names and then makes the calls it is told to make.
func serveCalls(in io.Reader, out io.Writer) int {
	dec, enc := gob.NewDecoder(in), gob.NewEncoder(out)
	var who credential
	if err := dec.Decode(&who); err != nil {
		return 2
	}
	var first reply
	if err := who.assume(); err != nil {
		first.Fatal = err.Error()
	}
	if err := enc.Encode(first); err != nil {
		return 2
	}
	for {
		var c call
		if err := dec.Decode(&c); errors.Is(err, io.EOF) {
			return 0
		} else if err != nil {
			return 2
		}
		if err := enc.Encode(c.make()); err != nil {
			return 2
		}
	}
}

// assume makes all threads of the process those of the user. With a user that
// is not root the kernel drops all capabilities too.
func (who credential) assume() error {
	if err := syscall.Setgroups(who.Groups); err != nil {
		return fmt.Errorf("setgroups: %w", err)
	}
	gid := who.Groups[0]
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("setresgid: %w", err)
	}
	if err := syscall.Setresuid(who.UID, who.UID, who.UID); err != nil {
		return fmt.Errorf("setresuid: %w", err)
	}
	return nil
}

func (c call) make() reply {
	if err := unix.Chdir(c.Dir); err != nil {
		return reply{Fatal: fmt.Sprintf("chdir %s: %v", c.Dir, err)}
	}
	unix.Umask(c.Umask)
	op, ok := operations[c.Op]
	if !ok {
		return reply{Fatal: "no operation " + c.Op}
	}
	var r reply
	err := op(&c, &r)
	if err != nil && !errors.As(err, &r.Errno) {
		r.Fatal = err.Error()
	}
	return r
}

var operations = map[string]func(*call, *reply) error{
	"mkdir":  func(c *call, _ *reply) error { return unix.Mkdir(c.Path, c.Mode) },
	"mkfifo": func(c *call, _ *reply) error { return unix.Mknod(c.Path, unix.S_IFIFO|c.Mode, 0) },
	"mknod":  func(c *call, _ *reply) error { return unix.Mknod(c.Path, c.Mode, int(c.Dev)) },
	"bind":   bindSocket,
	"symlink": func(c *call, _ *reply) error {
		return unix.Symlink(c.Path, c.Path2)
	},
	"readlink": readLink,
	"link":     func(c *call, _ *reply) error { return unix.Link(c.Path, c.Path2) },
	"rename": func(c *call, _ *reply) error {
		return unix.Renameat2(unix.AT_FDCWD, c.Path, unix.AT_FDCWD, c.Path2, uint(c.Flags))
	},
	"unlink": func(c *call, _ *reply) error { return unix.Unlink(c.Path) },
	"rmdir":  func(c *call, _ *reply) error { return unix.Rmdir(c.Path) },
	"chmod":  func(c *call, _ *reply) error { return unix.Chmod(c.Path, c.Mode) },
	"fchmod": func(c *call, _ *reply) error { return unix.Fchmod(c.FD, c.Mode) },
	"chown":  func(c *call, _ *reply) error { return unix.Chown(c.Path, c.UID, c.GID) },
	"lchown": func(c *call, _ *reply) error { return unix.Lchown(c.Path, c.UID, c.GID) },
	"fchown": func(c *call, _ *reply) error { return unix.Fchown(c.FD, c.UID, c.GID) },
	"truncate": func(c *call, _ *reply) error {
		return unix.Truncate(c.Path, c.Size)
	},
	"ftruncate": func(c *call, _ *reply) error { return unix.Ftruncate(c.FD, c.Size) },
	"fallocate": func(c *call, _ *reply) error {
		return unix.Fallocate(c.FD, uint32(c.Flags), c.Off, c.Size)
	},
	"utimensat": func(c *call, _ *reply) error {
		return unix.UtimesNanoAt(unix.AT_FDCWD, c.Path, c.Times, c.Flags)
	},
	"stat":  func(c *call, r *reply) error { return unix.Stat(c.Path, &r.Stat) },
	"lstat": func(c *call, r *reply) error { return unix.Lstat(c.Path, &r.Stat) },
	"fstat": func(c *call, r *reply) error { return unix.Fstat(c.FD, &r.Stat) },
	"open":  openFile,
	"close": func(c *call, _ *reply) error { return unix.Close(c.FD) },
	"pread": preadFile,
	"pwrite": func(c *call, r *reply) error {
		n, err := unix.Pwrite(c.FD, c.Data, c.Off)
		r.N = int64(n)
		return err
	},
	"access": func(c *call, _ *reply) error { return unix.Access(c.Path, c.Mode) },
	"setxattr": func(c *call, _ *reply) error {
		return unix.Lsetxattr(c.Path, c.Name, c.Data, c.Flags)
	},
	"getxattr":    getXattr,
	"removexattr": func(c *call, _ *reply) error { return unix.Lremovexattr(c.Path, c.Name) },
	"flock":       func(c *call, _ *reply) error { return unix.Flock(c.FD, c.Flags) },
	"setlk": func(c *call, _ *reply) error {
		return unix.FcntlFlock(uintptr(c.FD), unix.F_SETLK, &unix.Flock_t{Type: int16(c.Flags), Start: c.Off, Len: c.Size})
	},
	"raw": rawCall,
}

func openFile(c *call, r *reply) error {
	fd, err := unix.Open(c.Path, c.Flags|unix.O_CLOEXEC, c.Mode)
	if err != nil {
		return err
	}
	if c.Quiet {
		return unix.Close(fd)
	}
	r.FD = fd
	return nil
}

func preadFile(c *call, r *reply) error {
	r.Data = make([]byte, c.BufLen)
	n, err := unix.Pread(c.FD, r.Data, c.Off)
	r.Data = r.Data[:max(n, 0)]
	r.N = int64(n)
	return err
}

func getXattr(c *call, r *reply) error {
	buf := make([]byte, c.BufLen)
	n, err := unix.Lgetxattr(c.Path, c.Name, buf)
	if err == nil {
		r.Data = buf[:n]
	}
	return err
}

func readLink(c *call, r *reply) error {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlink(c.Path, buf)
	if err == nil {
		r.Data = buf[:n]
	}
	return err
}

func bindSocket(c *call, _ *reply) error {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	defer unix.Close(fd)
	return unix.Bind(fd, &unix.SockaddrUnix{Name: c.Path})
}

// rawCall makes calls that no library function would, such as those with bad
// addresses.
func rawCall(c *call, _ *reply) error {
	path, err := unix.BytePtrFromString(c.Path)
	if err != nil {
		return err
	}
	for i, arg := range c.Args {
		if arg == pathArg {
			c.Args[i] = uintptr(unsafe.Pointer(path))
		}
	}
	_, _, errno := unix.RawSyscall6(c.Nr, c.Args[0], c.Args[1], c.Args[2], c.Args[3], c.Args[4], c.Args[5])
	runtime.KeepAlive(path)
	if errno != 0 {
		return errno
	}
	return nil
}
