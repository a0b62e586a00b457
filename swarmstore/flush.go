package swarmstore

import (
	"context"
	"fmt"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/ranges"
)

// journalMost is how many bytes a sync writes into the database, which is synced anyway, instead of syncing the
// files of their pieces.
const journalMost = 512 << 10

// journalPart is the part of the disk that may be used for that.
const journalPart = 1024

// journalRoom bounds the bytes kept so until their files are sealed: half of the ballast, because who takes them
// over after a power cut may need as much room; more on a large disk, which is hardly ever full to the last part.
func (s *Store) journalRoom() int64 { return max(s.ballast.size/2, s.ballast.disk/journalPart) }

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
	if err := i.s.db.Sync(ctx); err != nil {
		return storeError(err)
	}
	return i.reportLost()
}

// record makes staged bytes durable and writes down that they are valid. The record is durable after the
// next sync of the database.
func (i *inode) record(ctx context.Context) error {
	if i.s.o.ReadOnly {
		return nil
	}
	i.recording.Lock()
	defer i.recording.Unlock()
	if err := i.lock(ctx); err != nil {
		return err
	}
	if err := i.flushSmall(ctx); err != nil {
		i.mu.Unlock()
		return err
	}
	r := recording{i: i, written: i.takeUnsynced()}
	dirty := len(r.written) > 0 || i.changed
	err := r.choose()
	i.mu.Unlock()
	if !dirty {
		return nil
	}
	if err == nil && !r.journal {
		err = r.makeDurable()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if err == nil {
		err = r.commit(ctx)
	}
	if err != nil {
		r.giveBack()
	}
	return storeError(err)
}

// recording is the way of staged bytes to being recorded.
type recording struct {
	i       *inode
	written []writtenPiece
	journal bool // the bytes go into the database, the files are not synced
}

// writtenPiece is a piece with what there was of it when its recording began.
type writtenPiece struct {
	piece    *piece
	valid    *ranges.Set
	unsynced *ranges.Set
	data     [][]byte // of the unsynced ranges, if they go into the database
}

// takeUnsynced returns the pieces that were written since they were recorded. mu is held for writing.
func (i *inode) takeUnsynced() (list []writtenPiece) {
	for _, pieces := range i.pieces {
		for _, p := range pieces {
			if !p.unsynced.Empty() {
				list = append(list, writtenPiece{piece: p, valid: p.valid.Clone(), unsynced: p.unsynced.Clone()})
				p.unsynced = ranges.Set{}
			}
		}
	}
	return list
}

// giveBack undoes takeUnsynced.
func (r *recording) giveBack() {
	for _, w := range r.written {
		for _, u := range w.unsynced.All() {
			for _, still := range w.piece.valid.Intersect(u) {
				w.piece.unsynced.Add(still)
			}
		}
	}
}

// bytes counts what is not synced.
func (r *recording) bytes() (n int64) {
	for _, w := range r.written {
		n += w.unsynced.Len()
	}
	return n
}

// choose decides whether the bytes go into the database. If so they are read, else the pieces are closed: what is
// written from now on lies beside them. mu is held for writing.
func (r *recording) choose() error {
	s := r.i.s
	used := s.journaled.Load() + r.bytes()
	r.journal = r.bytes() <= journalMost && used <= s.journalRoom()
	if used > s.journalRoom()/2 && r.i.journal > 0 {
		s.sealer.soon(r.i) // which makes room
	}
	if r.journal {
		return r.readUnsynced()
	}
	for _, w := range r.written {
		w.piece.closed = true
	}
	return nil
}

// makeDurable syncs the files of the pieces. No lock is held: others may write meanwhile.
func (r *recording) makeDurable() error {
	switch {
	case len(r.written) == 0:
		return nil
	case len(r.written) > syncEach:
		return r.i.s.blocks.SyncAll()
	}
	for _, w := range r.written {
		h, err := r.i.s.staging.Piece(w.piece.id)
		if err != nil {
			return err
		}
		err = unix.Fdatasync(int(h.Fd()))
		h.Release()
		if err != nil {
			// The kernel forgets which pages it could not write: a second sync would succeed and lie.
			err = fmt.Errorf("sync staged bytes: %w", err)
			r.i.s.db.Distrust(err)
			return err
		}
	}
	return r.i.s.staging.SyncNames()
}

func (r *recording) readUnsynced() error {
	for n := range r.written {
		w := &r.written[n]
		h, err := r.i.s.staging.Piece(w.piece.id)
		if err != nil {
			return err
		}
		for _, u := range w.unsynced.All() {
			data := make([]byte, u.Len())
			if _, err = h.ReadAt(data, u.Start); err != nil {
				break
			}
			w.data = append(w.data, data)
		}
		h.Release()
		if err != nil {
			return fmt.Errorf("read staged bytes: %w", err)
		}
	}
	return nil
}

// commit writes down the pieces that are still there: others were sealed or cut off meanwhile. mu is held
// for writing.
func (r *recording) commit(ctx context.Context) error {
	i := r.i
	err := i.updateNode(ctx, func(tx *meta.Tx, n *meta.Node) error {
		// The size waits for the seal: until then other processes would read zeros where the bytes are staged.
		// After a crash the pieces tell it.
		for _, w := range r.written {
			if i.has(w.piece) {
				if err := r.recordPiece(tx, w); err != nil {
					return err
				}
			}
		}
		if err := i.markUnsealed(tx, n, len(i.pieces) > 0 || n.Span != n.Size || n.Base != n.Size); err != nil {
			return err
		}
		i.base = baseOf(*n, i.base.epoch)
		return nil
	})
	if err == nil && r.journal {
		i.journal += r.bytes()
		i.s.journaled.Add(r.bytes())
	}
	return err
}

// recordPiece writes down one piece, with its bytes if its file is not synced.
func (r *recording) recordPiece(tx *meta.Tx, w writtenPiece) error {
	id, session := w.piece.id, r.i.s.session.row.ID
	if err := r.i.s.recordPiece(tx, id, w.valid); err != nil {
		return err
	}
	w.piece.recorded = *w.valid
	if !r.journal {
		if !w.piece.journaled {
			return nil
		}
		w.piece.journaled = false
		return tx.DeleteJournal(session, id.Ino, id.Block, id.Gen)
	}
	w.piece.journaled = true
	for n, u := range w.unsynced.All() {
		if err := tx.AddJournal(session, id.Ino, id.Block, id.Gen, u.Start, w.data[n]); err != nil {
			return err
		}
	}
	return nil
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
