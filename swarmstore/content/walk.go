package content

import "context"

// Blocks calls fn for the blocks first to last of t that exist, in order, and
// reads only the intermediate chunks above them. It ends with fn's first error.
func Blocks(ctx context.Context, src ChunkReader, t Tree, first, last int64, fn func(index int64, ref Reference) error) error {
	w := walker{src: src, first: first, last: last, fn: fn}
	return w.visit(ctx, 0, t)
}

// walker is one call of Blocks.
type walker struct {
	src         ChunkReader
	first, last int64
	fn          func(index int64, ref Reference) error
}

// visit walks the subtree t, whose first block has the given index.
func (w *walker) visit(ctx context.Context, index int64, t Tree) error {
	count := BlockCount(t.Size)
	if count == 0 || index > w.last || index+count <= w.first {
		return nil
	}
	if height(t.Size) == 0 {
		return w.fn(index, t.Root)
	}
	children, err := readChildren(ctx, w.src, t)
	if err != nil {
		return err
	}
	for _, c := range children {
		if err := w.visit(ctx, index, Tree{Root: c.Ref, Size: c.Span}); err != nil {
			return err
		}
		index += BlockCount(c.Span)
	}
	return nil
}
