package swarmstore

import (
	"context"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/staging"
)

// truncate sets the length of the file. also, if not nil, changes other attributes in the same transaction.
func (i *inode) truncate(ctx context.Context, size int64, also func(*meta.Node) error) error {
	if err := i.lock(ctx); err != nil {
		return err
	}
	defer i.mu.Unlock()
	if err := i.becomeSmall(ctx, size); err != nil {
		return err
	}
	if i.small != nil && size <= content.ChunkSize {
		i.touch()
		i.small = resized(i.small, size)
		i.s.sealer.wrote(i)
		return i.flushWith(ctx, also)
	}
	if err := i.flushSmall(ctx); err != nil {
		return err
	}
	return i.cut(ctx, size, also)
}

func resized(b []byte, size int64) []byte {
	if size <= int64(len(b)) {
		return b[:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

// cut sets the length of a file that is not small: what is staged beyond goes, and no more than size
// bytes of the sealed tree count. That needs no bytes to be read or hashed.
func (i *inode) cut(ctx context.Context, size int64, also func(*meta.Node) error) error {
	i.touch()
	i.resized++
	dropped, clipped := i.clipPieces(size)
	i.extent = min(i.extent, size)
	err := i.updateNode(ctx, func(tx *meta.Tx, n *meta.Node) error {
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
			if err := i.s.recordPiece(tx, p); err != nil {
				return err
			}
		}
		if also != nil {
			if err := also(n); err != nil {
				return err
			}
		}
		if err := i.markUnsealed(tx, n, len(i.pieces) > 0 || n.Span != size); err != nil {
			return err
		}
		i.base = baseOf(*n, i.base.epoch)
		return nil
	})
	for _, p := range dropped {
		i.s.trash.add(p.id)
	}
	i.s.sealer.wrote(i)
	return err
}

// dropContent lets go of a node's sealed content.
func (i *inode) dropContent(tx *meta.Tx, n *meta.Node) error {
	err := i.s.objects.DropRef(tx, baseOf(*n, 0).tree)
	n.Content, n.Span, n.Base = nil, 0, 0
	return err
}

// clipPieces removes what is staged from size on. It returns the pieces that nothing is left of, and those
// recorded ones that are shorter now.
func (i *inode) clipPieces(size int64) (dropped, clipped []*piece) {
	for index, list := range i.pieces {
		end := size - index*content.BlockSize
		if end <= 0 {
			dropped = append(dropped, list...)
			delete(i.pieces, index)
			continue
		}
		for _, p := range list {
			before := p.valid.Len()
			p.valid.Clip(end)
			if p.recorded && p.valid.Len() != before {
				clipped = append(clipped, p)
			}
		}
	}
	return dropped, clipped
}

// markUnsealed sets or clears the note that a node must be sealed.
func (i *inode) markUnsealed(tx *meta.Tx, n *meta.Node, unsealed bool) error {
	was := n.Flags&meta.FlagUnsealed != 0
	i.unsealed = unsealed
	switch {
	case unsealed && !was:
		n.Flags |= meta.FlagUnsealed
		return tx.MarkUnsealed(i.ino, i.s.session.row.ID)
	case !unsealed && was:
		n.Flags &^= meta.FlagUnsealed
		return tx.MarkSealed(i.ino)
	}
	return nil
}

// recordPiece writes down which bytes of a piece are valid.
func (s *Store) recordPiece(tx *meta.Tx, p *piece) error {
	encoded, err := p.valid.AppendBinary([]byte{}) // not nil, which would be NULL
	if err != nil {
		return err
	}
	return tx.PutStaged(s.session.row.ID, p.id.Ino, meta.StagedPiece{Block: p.id.Block, Gen: p.id.Gen, Ranges: encoded})
}

// pieceIDs returns the names of pieces.
func pieceIDs(list []*piece) []staging.PieceID {
	ids := make([]staging.PieceID, len(list))
	for n, p := range list {
		ids[n] = p.id
	}
	return ids
}
