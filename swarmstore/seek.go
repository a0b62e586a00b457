package swarmstore

import (
	"context"
	"fmt"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/ranges"
)

// SeekData returns the first offset at or after off with data, ErrNoData if only a hole follows. Holes are
// known by whole blocks of sealed content and by what was never written.
func (f *File) SeekData(ctx context.Context, off int64) (int64, error) {
	return f.i.seek(ctx, off, true)
}

// SeekHole returns the first offset at or after off in a hole; the end of the file counts as one.
func (f *File) SeekHole(ctx context.Context, off int64) (int64, error) {
	return f.i.seek(ctx, off, false)
}

func (i *inode) seek(ctx context.Context, off int64, data bool) (int64, error) {
	if err := i.rlock(ctx); err != nil {
		return 0, err
	}
	defer i.mu.RUnlock()
	size := i.size()
	if off < 0 || off >= size {
		return 0, fmt.Errorf("seek inode %d to %d: %w", i.ino, off, ErrNoData)
	}
	if i.small != nil {
		if data {
			return off, nil
		}
		return size, nil
	}
	found, ok, err := i.seekBlocks(ctx, off, size, data)
	switch {
	case err != nil:
		return 0, storeError(err)
	case ok:
		return found, nil
	case data:
		return 0, fmt.Errorf("seek inode %d to %d: %w", i.ino, off, ErrNoData)
	}
	return size, nil
}

// seekBlocks looks for the first offset in [off, size) that is data, or a hole.
func (i *inode) seekBlocks(ctx context.Context, off, size int64, data bool) (int64, bool, error) {
	for off < size {
		index := off / content.BlockSize
		end := min((index+1)*content.BlockSize, size)
		set, err := i.dataIn(ctx, index)
		if err != nil {
			return 0, false, err
		}
		start := index * content.BlockSize
		within := ranges.Range{Start: off - start, End: end - start}
		found := set.Intersect(within)
		if !data {
			found = set.Holes(within)
		}
		if len(found) > 0 {
			return start + found[0].Start, true, nil
		}
		if off, err = i.skip(ctx, index+1, size, data); err != nil {
			return 0, false, err
		}
	}
	return 0, false, nil
}

// dataIn returns the ranges of a block that hold data.
func (i *inode) dataIn(ctx context.Context, index int64) (set ranges.Set, err error) {
	for _, p := range i.pieces[index] {
		for _, r := range p.valid.All() {
			set.Add(r)
		}
	}
	counts := min(i.base.base-index*content.BlockSize, content.BlockSize)
	if counts <= 0 {
		return set, nil
	}
	ref, err := i.blockRef(ctx, index)
	if err != nil {
		return set, err
	}
	if !i.s.hasher.IsZero(ref, content.BlockLen(i.base.tree.Size, index)) {
		set.Add(ranges.Range{Start: 0, End: counts})
	}
	return set, nil
}

// skip returns the start of the next block from index on that may hold what is looked for.
func (i *inode) skip(ctx context.Context, index, size int64, data bool) (int64, error) {
	if !data {
		return index * content.BlockSize, nil
	}
	next := content.BlockCount(size)
	for staged := range i.pieces {
		if staged >= index {
			next = min(next, staged)
		}
	}
	block, ok, err := i.s.hasher.NextData(ctx, i.objects, i.base.tree, index)
	if err != nil {
		return 0, err
	}
	if ok && block*content.BlockSize < i.base.base {
		next = min(next, block)
	}
	return next * content.BlockSize, nil
}
