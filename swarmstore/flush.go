package swarmstore

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/ranges"
)

// syncEach is the number of pieces up to which a sync syncs each by itself rather than the whole
// filesystem: one costs 0.1 to 0.3 ms, the whole some 10 ms and more if others write much.
const syncEach = 32

// Flush is close(2): what was written becomes visible to other processes soon.
func (f *File) Flush(ctx context.Context) error {
	if !f.i.isDirty() {
		return nil
	}
	if err := f.i.lock(ctx); err != nil {
		return err
	}
	defer f.i.mu.Unlock()
	if err := f.i.flushSmall(ctx); err != nil {
		return fmt.Errorf("flush inode %d: %w", f.i.ino, err)
	}
	if len(f.i.pieces) > 0 {
		f.v.s.sealer.soon(f.i)
	}
	return nil
}

// Sync makes the file's bytes and attributes durable on the local disk. dataOnly is fdatasync(2): it
// skips nothing, because the store keeps attributes and content roots in one place.
func (f *File) Sync(ctx context.Context, dataOnly bool) error {
	if err := f.i.sync(ctx); err != nil {
		return fmt.Errorf("sync inode %d: %w", f.i.ino, err)
	}
	return nil
}

func (i *inode) sync(ctx context.Context) error {
	if err := i.record(ctx); err != nil {
		return err
	}
	return storeError(i.s.db.Sync(ctx))
}

// record makes staged bytes durable and writes down that they are valid. The record is durable after the
// next sync of the database.
func (i *inode) record(ctx context.Context) error {
	if i.s.o.ReadOnly {
		return nil
	}
	if err := i.lock(ctx); err != nil {
		return err
	}
	if err := i.flushSmall(ctx); err != nil {
		i.mu.Unlock()
		return err
	}
	written, extent, resized := i.takeUnsynced(), i.extent, i.resized
	dirty := len(written) > 0 || i.changed || extent > i.base.size
	i.mu.Unlock()
	if !dirty {
		return nil
	}
	err := i.syncPieces(written)
	i.mu.Lock()
	defer i.mu.Unlock()
	if err == nil {
		err = i.recordWritten(ctx, written, extent, resized)
	}
	if err != nil {
		for _, w := range written {
			w.piece.unsynced = true
		}
	}
	return storeError(err)
}

// writtenPiece is a piece with the ranges that were valid when its sync began.
type writtenPiece struct {
	piece *piece
	valid *ranges.Set
}

// takeUnsynced returns the pieces that were written since they were recorded. mu is held for writing.
func (i *inode) takeUnsynced() (list []writtenPiece) {
	for _, pieces := range i.pieces {
		for _, p := range pieces {
			if p.unsynced {
				p.unsynced = false
				list = append(list, writtenPiece{p, p.valid.Clone()})
			}
		}
	}
	return list
}

// syncPieces makes the bytes and names of pieces durable. No lock is held: others may write meanwhile.
func (i *inode) syncPieces(written []writtenPiece) error {
	if len(written) == 0 {
		return nil
	}
	if len(written) > syncEach {
		return i.s.blocks.SyncAll()
	}
	for _, w := range written {
		h, err := i.s.staging.Piece(w.piece.id)
		if err != nil {
			return err
		}
		err = unix.Fdatasync(int(h.Fd()))
		h.Release()
		if err != nil {
			return fmt.Errorf("sync staged bytes: %w", err)
		}
	}
	return i.s.staging.SyncNames()
}

// recordWritten writes down the pieces that are still there: others were sealed or cut off meanwhile.
// mu is held for writing.
func (i *inode) recordWritten(ctx context.Context, written []writtenPiece, extent int64, resized uint64) error {
	if i.resized != resized {
		extent = min(extent, i.size())
	}
	return i.updateNode(ctx, func(tx *meta.Tx, n *meta.Node) error {
		n.Size = max(n.Size, extent)
		for _, w := range written {
			if !i.has(w.piece) {
				continue
			}
			// What was cut off while the disk was busy stays off.
			recorded := &piece{id: w.piece.id}
			for _, r := range w.piece.valid.All() {
				for _, both := range w.valid.Intersect(r) {
					recorded.valid.Add(both)
				}
			}
			if err := i.s.recordPiece(tx, recorded); err != nil {
				return err
			}
			w.piece.recorded = true
		}
		if err := i.markUnsealed(tx, n, len(i.pieces) > 0 || n.Span != n.Size || n.Base != n.Size); err != nil {
			return err
		}
		i.base = baseOf(*n, i.base.epoch)
		return nil
	})
}

// has reports whether the piece is one of the inode's.
func (i *inode) has(p *piece) bool {
	for _, q := range i.pieces[p.id.Block] {
		if p == q {
			return true
		}
	}
	return false
}

// flushSmall seals the content of a small file. mu is held for writing.
func (i *inode) flushSmall(ctx context.Context) error {
	if i.small == nil {
		return nil
	}
	return i.flushWith(ctx, nil)
}

// flushWith is flushSmall with a change of other attributes in the same transaction.
func (i *inode) flushWith(ctx context.Context, also func(*meta.Node) error) error {
	size := int64(len(i.small))
	tree := content.Tree{Root: i.s.hasher.Block(i.small), Size: size}
	err := i.updateNode(ctx, func(tx *meta.Tx, n *meta.Node) error {
		if also != nil {
			if err := also(n); err != nil {
				return err
			}
		}
		if err := i.s.objects.InsertSmall(tx, tree, i.small); err != nil {
			return err
		}
		if err := i.s.setContent(tx, n, tree); err != nil {
			return err
		}
		n.Size, n.Allocated = size, size
		if err := i.markUnsealed(tx, n, false); err != nil {
			return err
		}
		i.base = baseOf(*n, i.base.epoch)
		return nil
	})
	if err == nil {
		i.small, i.extent = nil, 0
	}
	return err
}

// setContent gives a node a sealed tree in place of the one it has.
func (s *Store) setContent(tx *meta.Tx, n *meta.Node, tree content.Tree) error {
	if err := s.objects.AddRef(tx, tree); err != nil {
		return err
	}
	if err := s.objects.DropRef(tx, baseOf(*n, 0).tree); err != nil {
		return err
	}
	n.Content, n.Span, n.Base = tree.Root[:], tree.Size, tree.Size
	if tree.Size == 0 {
		n.Content = nil
	}
	return nil
}
