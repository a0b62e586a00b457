package content

import "context"

// NextData returns the index of the first block at or after the given one that
// is not all zeros, and false if there is none. Subtrees of zeros are skipped
// unread.
func (h *Hasher) NextData(ctx context.Context, src ChunkReader, t Tree, block int64) (int64, bool, error) {
	s := seeker{h: h, src: src, from: block}
	return s.next(ctx, 0, t)
}

// NextHole returns the index of the first block at or after the given one that
// is all zeros, and false if there is none up to the end of the file.
func (h *Hasher) NextHole(ctx context.Context, src ChunkReader, t Tree, block int64) (int64, bool, error) {
	s := seeker{h: h, src: src, from: block, zero: true}
	return s.next(ctx, 0, t)
}

// seeker is one search for a block that is, or is not, all zeros.
type seeker struct {
	h    *Hasher
	src  ChunkReader
	from int64
	zero bool // which of both is looked for
}

// next searches the subtree t, whose first block has the given index.
func (s *seeker) next(ctx context.Context, index int64, t Tree) (int64, bool, error) {
	count := BlockCount(t.Size)
	if index+count <= s.from {
		return 0, false, nil
	}
	allZero := t.Root == s.h.zeroTree(t.Size)
	if allZero || height(t.Size) == 0 {
		return max(index, s.from), count > 0 && allZero == s.zero, nil
	}
	children, err := readChildren(ctx, s.src, t)
	if err != nil {
		return 0, false, err
	}
	for _, c := range children {
		found, ok, err := s.next(ctx, index, Tree{Root: c.Ref, Size: c.Span})
		if ok || err != nil {
			return found, ok, err
		}
		index += BlockCount(c.Span)
	}
	return 0, false, nil
}
