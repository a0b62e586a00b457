package swarmstore

import (
	"context"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/ranges"
	"swarmfs/swarmstore/staging"
)

// truncate sets the length of the file. also, if not nil, changes other attributes in the same transaction.
func (i *inode) truncate(ctx context.Context, size int64, also func(*meta.Node) error) error {
	i.recording.Lock()
	defer i.recording.Unlock()
	if err := i.lock(ctx); err != nil {
		return err
	}
	defer i.mu.Unlock()
	if err := i.becomeSmall(ctx, size); err != nil {
		return err
	}
	if i.small != nil && size <= content.ChunkSize {
		return i.cutSmall(ctx, size, also)
	}
	if err := i.flushSmall(ctx); err != nil {
		return err
	}
	return i.cut(ctx, size, also)
}

// cut sets the length of a file that is not small: what is staged beyond goes, and no more than size
// bytes of the sealed tree count. That needs no bytes to be read or hashed.
func (i *inode) cut(ctx context.Context, size int64, also func(*meta.Node) error) error {
	rest, dropped, clipped := i.clipPieces(size)
	update := i.s.update
	if size < i.size() {
		update = i.s.updateFreeing
	}
	i.touch()
	err := i.updateNodeIn(ctx, update, func(tx *meta.Tx, n *meta.Node) error {
		n.Size, n.Base, n.Allocated = size, min(n.Base, size), min(n.Allocated, size)
		if n.Base == 0 {
			if err := i.dropContent(tx, n); err != nil {
				return err
			}
		}
		for _, p := range dropped {
			if err := tx.DeleteStaged(i.s.session.row.ID, i.ino, p.id.Block, p.id.Gen); err != nil {
				return err
			}
		}
		for _, p := range clipped {
			if err := i.s.recordPiece(tx, p.id, &p.recorded); err != nil {
				return err
			}
		}
		if also != nil {
			if err := also(n); err != nil {
				return err
			}
		}
		if err := i.markUnsealed(tx, n, len(rest) > 0 || n.Span != size); err != nil {
			return err
		}
		i.base = baseOf(*n, i.base.epoch)
		return nil
	})
	if err != nil {
		return err
	}
	i.pieces, i.extent = rest, min(i.extent, size)
	i.resized++
	i.s.trash.add(pieceIDs(dropped)...)
	i.s.sealer.wrote(i)
	return nil
}

// dropContent lets go of a node's sealed content.
func (i *inode) dropContent(tx *meta.Tx, n *meta.Node) error {
	err := i.s.objects.DropRef(tx, baseOf(*n, 0).tree)
	n.Content, n.Span, n.Base = nil, 0, 0
	return err
}

// clipPieces returns what is left of the pieces without what is staged from size on; those that nothing is left
// of; and those recorded ones that are shorter now. The inode stays as it is.
func (i *inode) clipPieces(size int64) (rest map[int64][]*piece, dropped, clipped []*piece) {
	rest = make(map[int64][]*piece, len(i.pieces))
	for index, list := range i.pieces {
		end := size - index*content.BlockSize
		switch {
		case end <= 0:
			dropped = append(dropped, list...)
		case end >= content.BlockSize:
			rest[index] = list
		default:
			for _, p := range list {
				short := p.clip(end)
				rest[index] = append(rest[index], short)
				if short.recorded.Len() != p.recorded.Len() {
					clipped = append(clipped, short)
				}
			}
		}
	}
	return rest, dropped, clipped
}

// clip returns the piece without what lies from end on.
func (p *piece) clip(end int64) *piece {
	short := *p
	short.valid, short.unsynced, short.recorded = *p.valid.Clone(), *p.unsynced.Clone(), *p.recorded.Clone()
	short.valid.Clip(end)
	short.unsynced.Clip(end)
	short.recorded.Clip(end)
	return &short
}

// markUnsealed sets or clears the note that a node must be sealed.
func (i *inode) markUnsealed(tx *meta.Tx, n *meta.Node, unsealed bool) error {
	was := n.Flags&meta.FlagUnsealed != 0
	i.unsealed = unsealed
	switch {
	case unsealed:
		n.Flags |= meta.FlagUnsealed
		return tx.MarkUnsealed(i.ino, i.s.session.row.ID)
	case was:
		others, err := tx.MarkSealed(i.ino, i.s.session.row.ID)
		if err == nil && !others {
			n.Flags &^= meta.FlagUnsealed
		}
		return err
	}
	return nil
}

// recordPiece writes down which bytes of a piece are valid. They are durable.
func (s *Store) recordPiece(tx *meta.Tx, id staging.PieceID, valid *ranges.Set) error {
	encoded, err := valid.AppendBinary([]byte{}) // not nil, which would be NULL
	if err != nil {
		return err
	}
	return tx.PutStaged(s.session.row.ID, id.Ino, meta.StagedPiece{Block: id.Block, Gen: id.Gen, Ranges: encoded})
}

// pieceIDs returns the names of pieces.
func pieceIDs(list []*piece) []staging.PieceID {
	ids := make([]staging.PieceID, len(list))
	for n, p := range list {
		ids[n] = p.id
	}
	return ids
}
