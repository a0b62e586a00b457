package swarmstore

import (
	"context"
	"fmt"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/ranges"
)

// read fills p with the bytes of the file from off on, and zeros where there are none.
func (l layers) read(ctx context.Context, p []byte, off int64) error {
	for len(p) > 0 {
		index, at := off/content.BlockSize, off%content.BlockSize
		n := min(int64(len(p)), content.BlockSize-at)
		if err := l.readLayers(ctx, l.pieces[index], index, p[:n], at); err != nil {
			return err
		}
		p, off = p[n:], off+n
	}
	return nil
}

// readLayers fills p from off on within a block: from the last of the pieces where that is valid,
// beneath from the others, beneath from the sealed tree.
func (l layers) readLayers(ctx context.Context, pieces []*piece, index int64, p []byte, off int64) error {
	if len(pieces) == 0 {
		return l.readBase(ctx, index, p, off)
	}
	top, below := pieces[len(pieces)-1], pieces[:len(pieces)-1]
	within := ranges.Range{Start: off, End: off + int64(len(p))}
	for _, r := range top.valid.Holes(within) {
		if err := l.readLayers(ctx, below, index, p[r.Start-off:r.End-off], r.Start); err != nil {
			return err
		}
	}
	valid := top.valid.Intersect(within)
	if len(valid) == 0 {
		return nil
	}
	h, err := l.staging.Piece(top.id)
	if err != nil {
		return err
	}
	defer h.Release()
	for _, r := range valid {
		if _, err := h.ReadAt(p[r.Start-off:r.End-off], r.Start); err != nil {
			return fmt.Errorf("staged bytes: %w", err)
		}
	}
	return nil
}

// readBase fills p from off on within a block of the sealed tree, with zeros beyond what counts of it.
func (l layers) readBase(ctx context.Context, index int64, p []byte, off int64) error {
	start := index*content.BlockSize + off
	counts := max(min(l.base.base-start, int64(len(p))), 0)
	clear(p[counts:])
	if counts == 0 {
		return nil
	}
	ref, err := l.blockRef(ctx, index)
	if err != nil {
		return err
	}
	return l.objects.ReadBlock(ctx, ref, content.BlockLen(l.base.tree.Size, index), p[:counts], off)
}

// blockRef returns the reference of a block of the sealed tree.
func (l layers) blockRef(ctx context.Context, index int64) (ref content.Reference, err error) {
	if l.base.tree.Size <= content.BlockSize {
		return l.base.tree.Root, nil
	}
	err = content.Blocks(ctx, l.objects, l.base.tree, index, index, func(_ int64, r content.Reference) error {
		ref = r
		return nil
	})
	return ref, err
}
