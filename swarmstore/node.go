package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
)

// attrOf turns a row into what callers see.
func attrOf(n meta.Node) Attr {
	a := Attr{
		Ino: Ino(n.Ino), Mode: n.Mode, Nlink: n.Nlink, UID: n.UID, GID: n.GID, Rdev: n.Rdev,
		Size: n.Size, Allocated: n.Allocated,
		Atime: time.Unix(0, n.Atime), Mtime: time.Unix(0, n.Mtime), Ctime: time.Unix(0, n.Ctime), Btime: time.Unix(0, n.Btime),
		Sealed: n.Flags&meta.FlagUnsealed == 0, HasXattrs: n.Flags&meta.FlagXattrs != 0, Version: n.Version,
	}
	if n.Mode&ModeType == ModeRegular {
		copy(a.Reference[:], n.Content)
		if n.Span == 0 {
			a.Reference = emptyReference
		}
	}
	return a
}

// emptyReference is the address of no bytes at all.
var emptyReference = content.NewHasher().Block(nil)

// nanoseconds turns a time into what a row holds, which ends in the year 2262.
func nanoseconds(t time.Time) int64 {
	switch sec := t.Unix(); {
	case sec > math.MaxInt64/int64(time.Second)-1:
		return math.MaxInt64
	case sec < math.MinInt64/int64(time.Second)+1:
		return math.MinInt64
	}
	return t.UnixNano()
}

// node reads a node of the volume.
func (v *Volume) node(tx *meta.Tx, ino Ino) (meta.Node, error) {
	n, err := tx.Node(int64(ino))
	if err == nil && n.Volume != v.row.ID {
		err = meta.ErrNotFound
	}
	return n, err
}

// dir reads a directory of the volume that still has a name.
func (v *Volume) dir(tx *meta.Tx, ino Ino) (meta.Node, error) {
	n, err := v.node(tx, ino)
	switch {
	case err != nil:
	case n.Mode&ModeType != ModeDir:
		err = ErrNotDir
	case n.Nlink == 0:
		err = ErrNotExist
	}
	return n, err
}

// checkName refuses names that no entry can have.
func checkName(name string) error {
	switch {
	case len(name) > MaxNameLen:
		return ErrNameTooLong
	case name == "" || strings.ContainsAny(name, "/\x00"):
		return ErrInvalid
	case name == "." || name == "..":
		return ErrExist
	}
	return nil
}

// attr returns the attributes of a row, with what this process knows better. removals is what
// inodeTable.removals said before the row was read.
func (v *Volume) attr(ctx context.Context, n meta.Node, removals uint64) (Attr, error) {
	i := v.s.inodes.find(n.Ino)
	if i != nil {
		defer i.release()
		return v.attrOfOpen(ctx, i)
	}
	if n.Mode&ModeType == ModeRegular && v.s.inodes.removals() != removals {
		// The file may have been closed since, and the row written.
		return v.Getattr(ctx, Ino(n.Ino))
	}
	return attrOf(n), nil
}

// attrOfOpen returns the attributes of a file that is open: nothing is recorded between the row is read and
// what is not recorded is laid over it.
func (v *Volume) attrOfOpen(ctx context.Context, i *inode) (Attr, error) {
	i.mu.RLock()
	defer i.mu.RUnlock()
	n, err := v.readNode(ctx, Ino(i.ino))
	if err != nil {
		return Attr{}, err
	}
	i.overlay(&n)
	return attrOf(n), nil
}

func (v *Volume) readNode(ctx context.Context, ino Ino) (n meta.Node, err error) {
	err = v.s.view(ctx, func(tx *meta.Tx) (err error) { n, err = v.node(tx, ino); return err })
	if err != nil {
		err = fmt.Errorf("inode %d: %w", ino, err)
	}
	return n, err
}

// Getattr returns the attributes of a node.
func (v *Volume) Getattr(ctx context.Context, ino Ino) (Attr, error) {
	if i := v.s.inodes.find(int64(ino)); i != nil {
		defer i.release()
		return v.attrOfOpen(ctx, i)
	}
	removals := v.s.inodes.removals()
	n, err := v.readNode(ctx, ino)
	if err != nil {
		return Attr{}, err
	}
	return v.attr(ctx, n, removals)
}

// Lookup returns what name in a directory stands for; "." and ".." too.
func (v *Volume) Lookup(ctx context.Context, dir Ino, name string) (Attr, error) {
	if len(name) > MaxNameLen {
		return Attr{}, fmt.Errorf("look up %q: %w", name, ErrNameTooLong)
	}
	removals := v.s.inodes.removals()
	var n meta.Node
	err := v.s.view(ctx, func(tx *meta.Tx) (err error) { n, err = v.lookup(tx, dir, name); return err })
	if err != nil {
		return Attr{}, fmt.Errorf("look up %q in inode %d: %w", name, dir, err)
	}
	return v.attr(ctx, n, removals)
}

func (v *Volume) lookup(tx *meta.Tx, dir Ino, name string) (meta.Node, error) {
	if name == "." || name == ".." {
		d, err := v.dir(tx, dir)
		if err != nil || name == "." || d.Ino == v.row.Root {
			return d, err
		}
		return tx.Node(d.Parent)
	}
	n, err := tx.Entry(int64(dir), name)
	if errors.Is(err, meta.ErrNotFound) {
		if _, dirErr := v.dir(tx, dir); dirErr != nil {
			return n, dirErr
		}
		return n, ErrNotExist
	}
	if err == nil && n.Volume != v.row.ID {
		err = ErrNotExist
	}
	return n, err
}

// Parent returns the directory that holds a directory; the root's is the root.
func (v *Volume) Parent(ctx context.Context, dir Ino) (Ino, error) {
	a, err := v.Lookup(ctx, dir, "..")
	return a.Ino, err
}

// Readlink returns the target of a symlink.
func (v *Volume) Readlink(ctx context.Context, ino Ino) (string, error) {
	var n meta.Node
	err := v.s.view(ctx, func(tx *meta.Tx) (err error) { n, err = v.node(tx, ino); return err })
	if err == nil && n.Mode&ModeType != ModeSymlink {
		err = ErrInvalid
	}
	if err != nil {
		return "", fmt.Errorf("read link inode %d: %w", ino, err)
	}
	return string(n.Content), nil
}

// ReadDir returns at most limit entries with names after the given one, in byte order, without "." and "..".
// A caller goes through a directory by passing the last name it got; entries made or removed meanwhile may or
// may not show, all others show exactly once.
func (v *Volume) ReadDir(ctx context.Context, dir Ino, after string, limit int) ([]DirEntry, error) {
	removals := v.s.inodes.removals()
	var entries []meta.Entry
	err := v.s.view(ctx, func(tx *meta.Tx) error {
		d, err := v.node(tx, dir)
		if err == nil && d.Mode&ModeType != ModeDir {
			err = ErrNotDir
		}
		if err == nil {
			entries, err = tx.Entries(int64(dir), after, limit)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read directory inode %d: %w", dir, err)
	}
	list := make([]DirEntry, 0, len(entries))
	for _, e := range entries {
		a, err := v.attr(ctx, e.Node, removals)
		if errors.Is(err, ErrNotExist) {
			continue // removed since
		}
		if err != nil {
			return nil, err
		}
		list = append(list, DirEntry{Name: e.Name, Attr: a})
	}
	return list, nil
}

// SyncDir makes everything done to names so far durable.
func (v *Volume) SyncDir(ctx context.Context, _ Ino) error {
	return storeError(v.s.db.Sync(ctx))
}
