package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"swarmfs/swarmstore/meta"
)

// File is an open regular file. Its methods may be called concurrently. Permission is the caller's to check.
type File struct {
	v      *Volume
	i      *inode
	ra     readahead
	closed atomic.Bool
}

// OpenFile opens a regular file by inode number. It stays readable and writable when its last name is
// removed in this process.
func (v *Volume) OpenFile(ctx context.Context, ino Ino) (*File, error) {
	i, err := v.s.inode(ctx, int64(ino))
	if err != nil {
		return nil, err
	}
	return &File{v: v, i: i}, nil
}

// Close gives up the handle. What was written is sealed soon; use Sync to be sure of it.
func (f *File) Close() error {
	if f.closed.Swap(true) {
		return nil
	}
	defer f.i.release()
	if !f.i.isDirty() {
		return nil
	}
	f.v.s.sealer.soon(f.i)
	// A small file is sealed here and now, so that other processes see it at once.
	return f.Flush(context.WithoutCancel(f.v.s.ctx))
}

// Ino returns the file's inode number.
func (f *File) Ino() Ino { return Ino(f.i.ino) }

// Attr returns the file's attributes.
func (f *File) Attr(ctx context.Context) (Attr, error) { return f.v.Getattr(ctx, f.Ino()) }

// ContentVersion changes whenever the file's bytes may have changed in another way than through the
// handles of this process.
func (f *File) ContentVersion() uint64 {
	f.i.mu.RLock()
	defer f.i.mu.RUnlock()
	return f.i.contents
}

// writable refuses changes on a read-only store.
func (f *File) writable() error {
	if f.v.s.o.ReadOnly {
		return fmt.Errorf("inode %d: %w", f.i.ino, ErrReadOnly)
	}
	return nil
}

// Truncate sets the length of the file; what is added reads as zeros.
func (f *File) Truncate(ctx context.Context, size int64) error {
	if err := f.writable(); err != nil {
		return err
	}
	if size < 0 {
		return fmt.Errorf("truncate to %d: %w", size, ErrInvalid)
	}
	if size > MaxFileSize {
		return fmt.Errorf("truncate to %d: %w", size, ErrTooBig)
	}
	if err := f.i.truncate(ctx, size, nil); err != nil {
		return fmt.Errorf("truncate inode %d: %w", f.i.ino, err)
	}
	return nil
}

// updateNode changes the file's row, with its times as they are known here. The inode's mu is held for writing.
func (i *inode) updateNode(ctx context.Context, fn func(tx *meta.Tx, n *meta.Node) error) error {
	return i.updateNodeIn(ctx, i.s.update, fn)
}

// updateNodeIn is updateNode in a transaction of the given kind.
func (i *inode) updateNodeIn(ctx context.Context, update func(context.Context, func(*meta.Tx) error) error, fn func(tx *meta.Tx, n *meta.Node) error) error {
	err := update(ctx, func(tx *meta.Tx) error {
		n, err := tx.Node(i.ino)
		if errors.Is(err, meta.ErrNotFound) {
			return fmt.Errorf("inode %d: %w", i.ino, ErrStale)
		}
		if err != nil {
			return err
		}
		if err := fn(tx, &n); err != nil {
			return err
		}
		if i.changed {
			n.Mtime, n.Ctime = i.mtime, i.ctime
		}
		if err := tx.PutNode(&n); err != nil {
			return err
		}
		return tx.Note(meta.Change{Volume: n.Volume, Ino: i.ino, Content: true})
	})
	if err == nil {
		i.changed = false
	}
	return err
}
