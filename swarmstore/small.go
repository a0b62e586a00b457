package swarmstore

import (
	"context"
	"errors"
	"fmt"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/ranges"
)

// errRebase tells that another process has changed a small file since it was loaded.
var errRebase = errors.New("file changed since it was loaded")

// smallEdits is what this process has changed of a small file since it was loaded.
type smallEdits struct {
	base    base       // what was loaded
	written ranges.Set // bytes written since
	cut     bool       // the length was set
}

// becomeSmall loads a file that is, and will be after a write up to end, no longer than a chunk into memory.
func (i *inode) becomeSmall(ctx context.Context, end int64) error {
	if i.small != nil || len(i.pieces) > 0 || max(end, i.size()) > content.ChunkSize {
		return nil
	}
	small := make([]byte, i.size(), content.ChunkSize)
	if err := i.read(ctx, small, 0); err != nil {
		return err
	}
	i.small, i.mine = small, smallEdits{base: i.base}
	return nil
}

func (i *inode) writeSmall(p []byte, off int64) {
	i.touch()
	end := off + int64(len(p))
	if end > int64(len(i.small)) {
		i.small = append(i.small, make([]byte, end-int64(len(i.small)))...)
	}
	copy(i.small[off:], p)
	i.mine.written.Add(ranges.Range{Start: off, End: end})
}

// cutSmall sets the length of a small file that stays one, and other attributes with it.
func (i *inode) cutSmall(ctx context.Context, size int64, also func(*meta.Node) error) error {
	small, mine := i.small, i.mine
	mine.written = *i.mine.written.Clone()
	i.touch()
	i.small = make([]byte, size, content.ChunkSize)
	copy(i.small, small)
	i.mine.written.Clip(size)
	i.mine.cut = true
	err := i.flushWith(ctx, also)
	if err != nil {
		i.small, i.mine = small, mine // it is as long as it was
	}
	return err
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
	for {
		err := i.tryFlush(ctx, also)
		if !errors.Is(err, errRebase) {
			return err
		}
		if err := i.rebase(ctx); err != nil || i.small == nil {
			return err
		}
	}
}

func (i *inode) tryFlush(ctx context.Context, also func(*meta.Node) error) error {
	size := int64(len(i.small))
	tree := content.Tree{Root: i.s.hasher.Block(i.small), Size: size}
	update := i.s.update
	if size < i.base.size {
		update = i.s.updateFreeing
	}
	err := i.updateNodeIn(ctx, update, func(tx *meta.Tx, n *meta.Node) error {
		if b := baseOf(*n, 0); !b.same(i.mine.base) || b.size != i.mine.base.size {
			return errRebase
		}
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
		i.small, i.extent, i.mine = nil, 0, smallEdits{}
	}
	return err
}

// rebase lays this process's edits over what another process has made of the file.
func (i *inode) rebase(ctx context.Context) error {
	if err := i.reload(ctx); err != nil {
		return err
	}
	mine, edits := i.small, i.mine
	size := int64(len(mine))
	if !edits.cut {
		size = i.base.size
		for _, r := range edits.written.All() {
			size = max(size, r.End)
		}
	}
	i.small, i.mine = nil, smallEdits{}
	if size > content.ChunkSize {
		return i.stageEdits(mine, edits)
	}
	merged := make([]byte, size, content.ChunkSize)
	if err := i.layers.read(ctx, merged[:min(size, i.base.size)], 0); err != nil {
		i.small, i.mine = mine, edits
		return fmt.Errorf("merge with another process's changes: %w", err)
	}
	for _, r := range edits.written.All() {
		copy(merged[r.Start:r.End], mine[r.Start:r.End])
	}
	edits.base = i.base
	i.small, i.mine = merged, edits
	return nil
}

// stageEdits stages the edits of a file that another process has made too long to be small.
func (i *inode) stageEdits(mine []byte, edits smallEdits) error {
	for _, r := range edits.written.All() {
		if _, err := i.stage(mine[r.Start:r.End], r.Start); err != nil {
			return err
		}
	}
	return nil
}
