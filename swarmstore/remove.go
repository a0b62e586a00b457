package swarmstore

import (
	"context"
	"fmt"
	"time"

	"swarmfs/swarmstore/meta"
)

// Unlink removes a name of anything but a directory and returns the attributes of what it stood for. With
// Nlink 0 that was the last name: the node is deleted once it is neither open nor retained.
func (v *Volume) Unlink(ctx context.Context, dir Ino, name string) (Attr, error) {
	return v.remove(ctx, dir, name, func(_ *meta.Tx, n meta.Node) error {
		if n.Mode&ModeType == ModeDir {
			return ErrIsDir
		}
		return nil
	})
}

// Rmdir removes an empty directory.
func (v *Volume) Rmdir(ctx context.Context, dir Ino, name string) (Attr, error) {
	return v.remove(ctx, dir, name, func(tx *meta.Tx, n meta.Node) error {
		if n.Mode&ModeType != ModeDir {
			return ErrNotDir
		}
		return checkEmpty(tx, n)
	})
}

func checkEmpty(tx *meta.Tx, dir meta.Node) error {
	full, err := tx.HasEntries(dir.Ino)
	if err == nil && full {
		err = ErrNotEmpty
	}
	return err
}

// remove removes an entry that check agrees to.
func (v *Volume) remove(ctx context.Context, dir Ino, name string, check func(*meta.Tx, meta.Node) error) (Attr, error) {
	var n meta.Node
	err := v.s.updateFreeing(ctx, func(tx *meta.Tx) (err error) {
		if n, err = v.lookup(tx, dir, name); err != nil {
			return err
		}
		if err := check(tx, n); err != nil {
			return err
		}
		n, err = v.removeEntry(tx, dir, name, n)
		return err
	})
	if err != nil {
		return Attr{}, fmt.Errorf("remove %q from inode %d: %w", name, dir, err)
	}
	v.afterUnlink(n)
	return attrOf(n), nil
}

// removeEntry removes an entry that is there and counts one link less.
func (v *Volume) removeEntry(tx *meta.Tx, dir Ino, name string, n meta.Node) (meta.Node, error) {
	now := time.Now().UnixNano()
	if err := tx.DeleteEntry(int64(dir), name); err != nil {
		return n, err
	}
	n, err := v.dropLink(tx, n, now)
	if err != nil {
		return n, err
	}
	return n, v.touchDir(tx, dir, name, n, now, -linksOf(n.Mode&ModeType == ModeDir))
}

// dropLink counts one link less. A node without links becomes an orphan, kept while this process uses it.
func (v *Volume) dropLink(tx *meta.Tx, n meta.Node, now int64) (meta.Node, error) {
	n.Nlink--
	if n.Mode&ModeType == ModeDir {
		n.Nlink = 0
	}
	n.Ctime = now
	if n.Nlink == 0 && !v.s.retained.used(v.s, n.Ino) {
		return n, v.s.deleteNode(tx, n)
	}
	if err := tx.PutNode(&n); err != nil {
		return n, err
	}
	if n.Nlink > 0 {
		return n, tx.Note(meta.Change{Volume: v.row.ID, Ino: n.Ino})
	}
	return n, tx.AddOrphan(n.Ino, v.s.session.row.ID)
}

// afterUnlink notes a node that has lost its last name.
func (v *Volume) afterUnlink(n meta.Node) {
	if n.Nlink > 0 || n.Ino == 0 {
		return
	}
	v.s.retained.orphaned(n.Ino)
	if !v.s.retained.used(v.s, n.Ino) {
		v.s.retained.released(n.Ino) // deleted already, or as soon as the janitor comes by
	}
}

// deleteNode deletes a node and lets go of its content.
func (s *Store) deleteNode(tx *meta.Tx, n meta.Node) error {
	if n.Mode&ModeType == ModeRegular {
		if err := s.objects.DropRef(tx, baseOf(n, 0).tree); err != nil {
			return err
		}
	}
	return tx.DeleteNode(n.Ino)
}
