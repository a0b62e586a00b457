package posix

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// A call is one system call for a helper process to make.
type call struct {
	Dir   string // the working directory to make it in
	Umask int

	Op     string
	Path   string
	Path2  string
	Name   string // of an extended attribute
	FD     int
	Flags  int
	Mode   uint32
	Dev    uint64
	UID    int
	GID    int
	Size   int64
	Off    int64
	Data   []byte
	Times  []unix.Timespec
	Nr     uintptr    // of a raw call
	Args   [6]uintptr // of a raw call; pathArg stands for the address of Path
	Quiet  bool       // close the file that an open returns at once
	BufLen int
}

// pathArg in call.Args is replaced by the address of call.Path.
const pathArg = ^uintptr(0) - 7

// A reply is what a call returned.
type reply struct {
	Errno unix.Errno
	FD    int
	N     int64
	Data  []byte
	Stat  unix.Stat_t
	Fatal string // the helper could not make the call
}

func (c call) String() string {
	switch c.Op {
	case "chown", "lchown", "fchown":
		return fmt.Sprintf("%s(%q, %d, %d)", c.Op, c.Path, c.UID, c.GID)
	case "rename", "link", "symlink":
		return fmt.Sprintf("%s(%q, %q)", c.Op, abbreviate(c.Path), abbreviate(c.Path2))
	case "open":
		return fmt.Sprintf("open(%q, %#x, %#o)", abbreviate(c.Path), c.Flags, c.Mode)
	case "setxattr", "getxattr", "removexattr":
		return fmt.Sprintf("%s(%q, %q, %d bytes, flags %d)", c.Op, c.Path, abbreviate(c.Name), len(c.Data), c.Flags)
	case "truncate", "ftruncate", "fallocate", "flock", "setlk":
		return fmt.Sprintf("%s(%q, fd %d, flags %#x, offset %d, size %d)", c.Op, abbreviate(c.Path), c.FD, c.Flags, c.Off, c.Size)
	case "raw":
		return fmt.Sprintf("syscall %d(%x)", c.Nr, c.Args)
	default:
		return fmt.Sprintf("%s(%q, %#o)", c.Op, abbreviate(c.Path), c.Mode)
	}
}

// abbreviate keeps the failure of a test of long names on one line.
func abbreviate(path string) string {
	if len(path) <= 80 {
		return path
	}
	return fmt.Sprintf("%s... (%d bytes)", path[:40], len(path))
}
