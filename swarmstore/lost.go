package swarmstore

import (
	"context"
	"fmt"
	"slices"

	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/ranges"
	"swarmfs/swarmstore/staging"
)

// reportLost returns an error, once for each open file, after a failing disk has undone changes that were said
// to be done: the next sync is where a program learns of it.
func (i *inode) reportLost() error {
	lost := i.s.db.Lost()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.lost == lost {
		return nil
	}
	i.lost = lost
	return fmt.Errorf("%w: the disk failed and the last changes are lost; see the log", ErrLost)
}

// restoreLost brings back the pieces that a seal had done with, if that was undone. mu is held for writing.
func (i *inode) restoreLost(ctx context.Context) error {
	if i.lost == i.s.db.Lost() {
		return nil
	}
	var records []meta.StagedPiece
	err := i.s.view(ctx, func(tx *meta.Tx) (err error) {
		records, err = tx.Staged(i.s.session.row.ID, i.ino)
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range records {
		id := staging.PieceID{Ino: i.ino, Block: r.Block, Gen: r.Gen}
		if slices.ContainsFunc(i.pieces[r.Block], func(p *piece) bool { return p.id == id }) {
			continue
		}
		valid, err := ranges.ParseSet(r.Ranges)
		if err != nil {
			return fmt.Errorf("block %d: %w: %w", r.Block, ErrCorrupt, err)
		}
		// Older than any that is left, and never written again.
		restored := &piece{id: id, valid: *valid, recorded: *valid.Clone(), frozen: true}
		i.pieces[r.Block] = slices.Insert(i.pieces[r.Block], 0, restored)
		i.unsealed = true
	}
	return nil
}
