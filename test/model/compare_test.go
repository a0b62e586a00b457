package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// compareTrees compares everything below two directories: names, attributes,
// which names are the same node, content, targets and extended attributes.
func compareTrees(localRoot, mountRoot string) error {
	c := comparison{roots: [2]string{localRoot, mountRoot}, inodes: map[uint64]uint64{}}
	return errors.Join(c.compare("."), c.distinct())
}

type comparison struct {
	roots  [2]string
	inodes map[uint64]uint64 // local inode to inode of the mount
}

func (c *comparison) compare(path string) error {
	l, m := filepath.Join(c.roots[local], path), filepath.Join(c.roots[mount], path)
	var ls, ms unix.Stat_t
	if err := unix.Lstat(l, &ls); err != nil {
		return fmt.Errorf("lstat %s: %w", l, err)
	}
	if err := unix.Lstat(m, &ms); err != nil {
		return fmt.Errorf("lstat %s: %w", m, err)
	}
	if want, got := describe(&ls), describe(&ms); want != got {
		return fmt.Errorf("%s: mount has %s, want %s", path, got, want)
	}
	if known, ok := c.inodes[ls.Ino]; ok && known != ms.Ino {
		return fmt.Errorf("%s: inode %d, another name of it has %d", path, ms.Ino, known)
	}
	c.inodes[ls.Ino] = ms.Ino
	if err := compareXattrs(path, l, m); err != nil {
		return err
	}
	switch ls.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		return compareContent(path, l, m)
	case unix.S_IFLNK:
		return compareTargets(path, l, m)
	case unix.S_IFDIR:
		return c.compareEntries(path, l, m)
	}
	return nil
}

// distinct checks that no two nodes of the mount share an inode number.
func (c *comparison) distinct() error {
	seen := map[uint64]bool{}
	for _, ino := range c.inodes {
		if seen[ino] {
			return fmt.Errorf("inode %d is that of two files", ino)
		}
		seen[ino] = true
	}
	return nil
}

func (c *comparison) compareEntries(path, l, m string) error {
	want, err := list(l)
	if err != nil {
		return fmt.Errorf("readdir %s: %w", l, err)
	}
	got, err := list(m)
	if err != nil {
		return fmt.Errorf("readdir %s: %w", m, err)
	}
	if !slices.Equal(want, got) {
		return fmt.Errorf("%s: mount lists %v, want %v", path, got, want)
	}
	for _, entry := range want {
		name := entry[:strings.LastIndexByte(entry, '(')]
		if err := c.compare(filepath.Join(path, name)); err != nil {
			return err
		}
	}
	return nil
}

func compareContent(path, l, m string) error {
	want, err := os.ReadFile(l)
	if err != nil {
		return err
	}
	got, err := os.ReadFile(m)
	if err != nil {
		return err
	}
	if d := firstDifference(want, got); d != "equal" {
		return fmt.Errorf("%s: %s", path, d)
	}
	return nil
}

func compareTargets(path, l, m string) error {
	want, err := os.Readlink(l)
	if err != nil {
		return err
	}
	got, err := os.Readlink(m)
	if err != nil {
		return err
	}
	if want != got {
		return fmt.Errorf("%s: points to %q on the mount, want %q", path, got, want)
	}
	return nil
}

func compareXattrs(path, l, m string) error {
	want, err := xattrsOf(l)
	if err != nil {
		return fmt.Errorf("listxattr %s: %w", l, err)
	}
	got, err := xattrsOf(m)
	if err != nil {
		return fmt.Errorf("listxattr %s: %w", m, err)
	}
	if !slices.Equal(want, got) {
		return fmt.Errorf("%s: mount has attributes %v, want %v", path, got, want)
	}
	for _, name := range want {
		a, b := make([]byte, 4096), make([]byte, 4096)
		n, err := unix.Lgetxattr(l, name, a)
		if err != nil {
			return fmt.Errorf("getxattr %s %s: %w", l, name, err)
		}
		k, err := unix.Lgetxattr(m, name, b)
		if err != nil {
			return fmt.Errorf("getxattr %s %s: %w", m, name, err)
		}
		if d := firstDifference(a[:n], b[:k]); d != "equal" {
			return fmt.Errorf("%s: attribute %s: %s", path, name, d)
		}
	}
	return nil
}

// readHandle returns the attributes and, if it is open for reading, the bytes
// of an open file, which may have no name any more.
func readHandle(h handle, side int) outcome {
	var st unix.Stat_t
	if err := unix.Fstat(h.fd[side], &st); err != nil {
		return failed(err)
	}
	o := outcome{value: describe(&st)}
	if h.flags&unix.O_ACCMODE == unix.O_WRONLY {
		return o
	}
	o.data = make([]byte, st.Size)
	n, err := unix.Pread(h.fd[side], o.data, 0)
	o.data, o.err = o.data[:max(n, 0)], err
	return o
}
