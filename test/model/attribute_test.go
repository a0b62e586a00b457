package model

import (
	"fmt"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// attributeActions change and read attributes.
var attributeActions = []action{
	{"chmod", 2, (*machine).chmod},
	{"chown", 2, (*machine).chown},
	{"utimens", 3, (*machine).utimens},
	{"setxattr", 3, (*machine).setxattr},
	{"removexattr", 1, (*machine).removexattr},
	{"listxattr", 1, (*machine).listxattr},
	{"getxattr", 1, (*machine).getxattr},
	{"fstat", 2, (*machine).fstat},
	{"lstat", 2, (*machine).lstat},
}

func (m *machine) chmod() {
	p, mode := m.anyPath(), []uint32{0o600, 0o755, 0o4755, 0o2755, 0o1777, 0}[m.pick("mode", 6)]
	if m.isSymlink(p) {
		return
	}
	m.both(fmt.Sprintf("chmod %s %#o", p, mode), func(side int) outcome {
		return failed(unix.Chmod(m.path(side, p), mode))
	})
}

func (m *machine) chown() {
	p := m.anyPath()
	ids := []int{-1, 0, 1000, 65534}
	uid, gid := ids[m.pick("uid", len(ids))], ids[m.pick("gid", len(ids))]
	m.both(fmt.Sprintf("lchown %s %d:%d", p, uid, gid), func(side int) outcome {
		return failed(unix.Lchown(m.path(side, p), uid, gid))
	})
}

// pastLimit separates the times that the machine sets from those that
// operations leave: all of the former are before 2002, all of the latter after.
const pastLimit = 1_010_000_000

func (m *machine) utimens() {
	times := []unix.Timespec{m.time("atime"), m.time("mtime")}
	if h, ok := m.anyHandle(); ok && m.pick("by handle", 2) == 1 {
		m.both(fmt.Sprintf("futimens %s %v", h, times), func(side int) outcome {
			return failed(unix.UtimesNanoAt(unix.AT_FDCWD, fmt.Sprint("/proc/self/fd/", h.fd[side]), times, 0))
		})
		return
	}
	p := m.anyPath()
	m.both(fmt.Sprintf("utimens %s %v", p, times), func(side int) outcome {
		return failed(unix.UtimesNanoAt(unix.AT_FDCWD, m.path(side, p), times, unix.AT_SYMLINK_NOFOLLOW))
	})
}

func (m *machine) time(label string) unix.Timespec {
	switch k := m.pick(label, 8); k {
	case 0:
		return unix.Timespec{Nsec: unix.UTIME_NOW}
	case 1:
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	default:
		return unix.Timespec{Sec: int64(k) * 100_000_000, Nsec: int64(k) * 123_456_789}
	}
}

var xattrNames = []string{"user.a", "user.b", "trusted.c", "security.d", "user.", "nonsense.e"}

func (m *machine) setxattr() {
	p, name := m.anyPath(), xattrNames[m.pick("xattr", len(xattrNames))]
	value := m.payload([]int{0, 1, 100, 700}[m.pick("size", 4)])
	flags := []int{0, 0, unix.XATTR_CREATE, unix.XATTR_REPLACE}[m.pick("flags", 4)]
	m.both(fmt.Sprintf("lsetxattr %s %s %d bytes flags %d", p, name, len(value), flags), func(side int) outcome {
		return failed(unix.Lsetxattr(m.path(side, p), name, value, flags))
	})
}

func (m *machine) removexattr() {
	p, name := m.anyPath(), xattrNames[m.pick("xattr", len(xattrNames))]
	m.both(fmt.Sprintf("lremovexattr %s %s", p, name), func(side int) outcome {
		return failed(unix.Lremovexattr(m.path(side, p), name))
	})
}

func (m *machine) getxattr() {
	p, name := m.anyPath(), xattrNames[m.pick("xattr", len(xattrNames))]
	size := []int{0, 50, 1000}[m.pick("buffer", 3)] // 50: sometimes too small
	m.both(fmt.Sprintf("lgetxattr %s %s into %d bytes", p, name, size), func(side int) outcome {
		buf := make([]byte, size)
		n, err := unix.Lgetxattr(m.path(side, p), name, buf)
		return outcome{err: err, value: fmt.Sprint(n), data: buf}
	})
}

func (m *machine) listxattr() {
	p := m.anyPath()
	m.both("llistxattr "+p, func(side int) outcome {
		names, err := xattrsOf(m.path(side, p))
		return outcome{err: err, value: strings.Join(names, " ")}
	})
}

// xattrsOf returns the sorted names of the extended attributes of a file,
// except those that swarmfs computes and those of the system's security modules.
func xattrsOf(path string) ([]string, error) {
	buf := make([]byte, 4096)
	n, err := unix.Llistxattr(path, buf)
	if err != nil || n == 0 {
		return nil, err
	}
	var names []string
	for _, name := range strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00") {
		if !strings.HasPrefix(name, "swarm.") && !strings.HasPrefix(name, "user.swarm.") && name != "security.selinux" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names, nil
}

func (m *machine) fstat() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	m.both(fmt.Sprintf("fstat %s", h), func(side int) outcome {
		var st unix.Stat_t
		err := unix.Fstat(h.fd[side], &st)
		return outcome{err: err, value: describe(&st)}
	})
}

func (m *machine) lstat() {
	p := m.anyPath()
	m.both("lstat "+p, func(side int) outcome {
		var st unix.Stat_t
		err := unix.Lstat(m.path(side, p), &st)
		return outcome{err: err, value: describe(&st)}
	})
}

// describe renders the attributes that must be equal.
func describe(st *unix.Stat_t) string {
	size := st.Size
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		size = 0 // a matter of the file system
	}
	mtime := "recent"
	if st.Mtim.Sec < pastLimit {
		mtime = fmt.Sprint(st.Mtim.Sec, ".", st.Mtim.Nsec)
	}
	return fmt.Sprintf("mode %#o nlink %d owner %d:%d rdev %d size %d mtime %s",
		st.Mode, st.Nlink, st.Uid, st.Gid, st.Rdev, size, mtime)
}
