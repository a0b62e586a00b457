package content_test

import (
	"context"
	"encoding/binary"
	"fmt"

	"swarmfs/swarmstore/content"
)

// model is a file as the list of its blocks, without any tree.
type model struct {
	size int64
	refs []content.Reference
}

// update returns the model with edits applied, as the comment of Update has it.
func (m model) update(size int64, edits []content.Edit) model {
	next := model{size: size, refs: make([]content.Reference, content.BlockCount(size))}
	full := hasher.ZeroBlock(content.BlockSize)
	for i := copy(next.refs, m.refs); i < len(next.refs); i++ {
		next.refs[i] = full
		if length := content.BlockLen(size, int64(i)); length < content.BlockSize {
			next.refs[i] = hasher.ZeroBlock(length)
		}
	}
	for _, e := range edits {
		next.refs[e.Index] = e.Ref
	}
	return next
}

// needsEdit tells which block of m must be edited for the new size, if any.
func (m model) needsEdit(size int64) (int64, bool) {
	last := min(content.BlockCount(m.size), content.BlockCount(size)) - 1
	return last, last >= 0 && content.BlockLen(m.size, last) != content.BlockLen(size, last)
}

// tree builds the tree above the blocks level by level, from the bottom, which
// is how Bee does it and not how the package does.
func (m model) tree() (content.Tree, map[content.Reference][]byte) {
	type node struct {
		ref  content.Reference
		span int64
	}
	chunks := make(map[content.Reference][]byte)
	if m.size == 0 {
		return content.Tree{Root: hasher.Block(nil)}, chunks
	}
	level := make([]node, len(m.refs))
	for i, ref := range m.refs {
		level[i] = node{ref, content.BlockLen(m.size, int64(i))}
	}
	for len(level) > 1 {
		var above []node
		for len(level) > 0 {
			group := level[:min(content.Branches, len(level))]
			level = level[len(group):]
			if len(group) == 1 {
				above = append(above, group[0])
				continue
			}
			data := make([]byte, content.SpanSize)
			var span int64
			for _, n := range group {
				span += n.span
				data = append(data, n.ref[:]...)
			}
			binary.LittleEndian.PutUint64(data, uint64(span))
			ref := hasher.Chunk(uint64(span), data[content.SpanSize:])
			chunks[ref] = data
			above = append(above, node{ref, span})
		}
		level = above
	}
	return content.Tree{Root: level[0].ref, Size: m.size}, chunks
}

// next is what NextData (zero false) and NextHole (zero true) are to find.
func (m model) next(from int64, zero bool) (int64, bool) {
	for i := max(from, 0); i < int64(len(m.refs)); i++ {
		if hasher.IsZero(m.refs[i], content.BlockLen(m.size, i)) == zero {
			return i, true
		}
	}
	return 0, false
}

// blocks returns what Blocks visits, and an error if it does not visit the
// blocks in order.
func blocks(src content.ChunkReader, t content.Tree, first, last int64) ([]content.Reference, error) {
	var refs []content.Reference
	next := max(first, 0)
	err := content.Blocks(context.Background(), src, t, first, last, func(i int64, ref content.Reference) error {
		if i != next {
			return fmt.Errorf("visited block %d, want %d", i, next)
		}
		next++
		refs = append(refs, ref)
		return nil
	})
	return refs, err
}
