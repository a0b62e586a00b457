package model

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// namespaceActions change or list what names there are.
var namespaceActions = []action{
	{"mkdir", 3, (*machine).mkdir},
	{"rmdir", 1, (*machine).rmdir},
	{"unlink", 2, (*machine).unlink},
	{"rename", 4, (*machine).rename},
	{"link", 2, (*machine).link},
	{"symlink", 1, (*machine).symlink},
	{"readlink", 1, (*machine).readlink},
	{"mknod", 1, (*machine).mknod},
	{"readdir", 2, (*machine).readdir},
	{"open", 5, (*machine).open},
	{"close", 3, (*machine).close},
	{"tmpfile", 1, (*machine).tmpfile},
	{"link handle", 1, (*machine).linkHandle},
}

func (m *machine) mkdir() {
	p, mode := m.anyPath(), []uint32{0o755, 0o700, 0o2775, 0o1777}[m.pick("mode", 4)]
	m.both(fmt.Sprintf("mkdir %s %#o", p, mode), func(side int) outcome {
		return failed(unix.Mkdir(m.path(side, p), mode))
	})
}

func (m *machine) rmdir() {
	p := m.anyPath()
	m.both("rmdir "+p, func(side int) outcome { return failed(unix.Rmdir(m.path(side, p))) })
}

func (m *machine) unlink() {
	p := m.anyPath()
	m.both("unlink "+p, func(side int) outcome { return failed(unix.Unlink(m.path(side, p))) })
}

func (m *machine) rename() {
	from, to := m.anyPath(), m.anyPath()
	flags := []uint{0, 0, 0, unix.RENAME_NOREPLACE, unix.RENAME_EXCHANGE, unix.RENAME_WHITEOUT}[m.pick("flags", 6)]
	m.both(fmt.Sprintf("rename %s %s flags %d", from, to, flags), func(side int) outcome {
		return failed(unix.Renameat2(unix.AT_FDCWD, m.path(side, from), unix.AT_FDCWD, m.path(side, to), flags))
	})
}

func (m *machine) link() {
	from, to := m.anyPath(), m.anyPath()
	m.both(fmt.Sprintf("link %s %s", from, to), func(side int) outcome {
		return failed(unix.Link(m.path(side, from), m.path(side, to)))
	})
}

func (m *machine) symlink() {
	p := m.anyPath()
	target := []string{"f0", "../f1", "d0", "nowhere", strings.Repeat("long/", 60)}[m.pick("target", 5)]
	m.both(fmt.Sprintf("symlink %s %s", target, p), func(side int) outcome {
		return failed(unix.Symlink(target, m.path(side, p)))
	})
}

func (m *machine) readlink() {
	p := m.anyPath()
	m.both("readlink "+p, func(side int) outcome {
		buf := make([]byte, unix.PathMax)
		n, err := unix.Readlink(m.path(side, p), buf)
		return outcome{err: err, value: string(buf[:max(n, 0)])}
	})
}

func (m *machine) mknod() {
	p := m.anyPath()
	kind := []uint32{unix.S_IFIFO, unix.S_IFCHR, unix.S_IFSOCK, unix.S_IFREG}[m.pick("type", 4)]
	m.both(fmt.Sprintf("mknod %s %#o", p, kind), func(side int) outcome {
		return failed(unix.Mknod(m.path(side, p), kind|0o640, int(unix.Mkdev(1, 3))))
	})
}

func (m *machine) readdir() {
	p := []string{".", "d0", "d1", "d0/d1"}[m.pick("dir", 4)]
	m.both("readdir "+p, func(side int) outcome {
		names, err := list(m.path(side, p))
		return outcome{err: err, value: strings.Join(names, " ")}
	})
}

// list returns the sorted names of a directory with their types. The error is
// the plain errno, which compares.
func list(dir string) ([]string, error) {
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), dir)
	defer f.Close()
	entries, err := f.ReadDir(-1)
	var errno unix.Errno
	if errors.As(err, &errno) {
		return nil, errno
	}
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = fmt.Sprint(e.Name(), "(", e.Type(), ")")
	}
	sort.Strings(names)
	return names, nil
}

func (m *machine) open() {
	if len(m.handles) >= maxHandles {
		m.closeHandle(m.pick("victim", len(m.handles)))
	}
	p := m.anyPath()
	flags := []int{unix.O_RDONLY, unix.O_WRONLY, unix.O_RDWR, unix.O_RDWR}[m.pick("access", 4)]
	flags |= []int{0, unix.O_CREAT, unix.O_CREAT, unix.O_CREAT | unix.O_EXCL, unix.O_TRUNC, unix.O_CREAT | unix.O_TRUNC}[m.pick("creation", 6)]
	flags |= []int{0, 0, 0, unix.O_APPEND, unix.O_SYNC, unix.O_DIRECTORY}[m.pick("status", 6)]
	m.openBoth(fmt.Sprintf("open %s %#x", p, flags), p, flags, func(side int) (int, error) {
		// A fifo must not block, a symbolic link must not lead to the other side.
		return unix.Open(m.path(side, p), flags|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o644)
	})
}

// openBoth keeps what opens on both sides if it is a regular file.
func (m *machine) openBoth(label, path string, flags int, open func(side int) (int, error)) {
	h := handle{path: path, flags: flags}
	ok := m.both(label, func(side int) outcome {
		fd, err := open(side)
		h.fd[side] = fd
		return failed(err)
	})
	if !ok {
		return
	}
	m.handles = append(m.handles, h)
	var st unix.Stat_t
	if err := unix.Fstat(h.fd[local], &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		m.closeHandle(len(m.handles) - 1)
	}
}

func (m *machine) close() {
	if len(m.handles) > 0 {
		m.closeHandle(m.pick("handle", len(m.handles)))
	}
}

func (m *machine) tmpfile() {
	if len(m.handles) >= maxHandles {
		m.closeHandle(m.pick("victim", len(m.handles)))
	}
	dir := []string{".", "d0"}[m.pick("dir", 2)]
	m.openBoth("open O_TMPFILE in "+dir, dir+"/(nameless)", unix.O_TMPFILE|unix.O_RDWR, func(side int) (int, error) {
		return unix.Open(m.path(side, dir), unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o640)
	})
}

// linkHandle gives an open file a name: a nameless one its first.
func (m *machine) linkHandle() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	p := m.anyPath()
	m.both(fmt.Sprintf("link %s to %s", h, p), func(side int) outcome {
		return failed(unix.Linkat(h.fd[side], "", unix.AT_FDCWD, m.path(side, p), unix.AT_EMPTY_PATH))
	})
}
