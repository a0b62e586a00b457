package content

import (
	"context"
	"errors"
	"fmt"
	"sort"
)

// ErrEdit tells that the edits given to Update do not describe a file.
var ErrEdit = errors.New("edits do not make a file")

// Edit gives a block of a file its new reference.
type Edit struct {
	Index int64
	Ref   Reference
}

// Update makes a file of size bytes out of base: the blocks named by edits, in
// ascending order, have the references given there; others stay what they are
// in base, and are zeros beyond the end of base. A block that is in base but
// has another length in the new file, such as the last one of a file that
// grows, needs an edit: Update does not see its bytes. ErrEdit tells of one
// that is missing, or of edits out of order or outside of the file.
//
// Beside the new tree Update returns the intermediate chunks that it made, each
// once, children before parents: together with those of base they are all that
// the new tree consists of. Among them may be some that base has already, namely
// of zeros, or with an edit for every block below. Update reads only those chunks
// of base that lie above an edit or above a changed end of the file, so that
// its cost grows with the edits and the depth of the tree, not with the size of
// the file.
func (h *Hasher) Update(ctx context.Context, src ChunkReader, base Tree, size int64, edits []Edit) (Tree, []Chunk, error) {
	var made []Chunk
	collect := func(c Chunk) error {
		made = append(made, c)
		return nil
	}
	tree, err := h.update(ctx, src, base, size, edits, collect)
	if err != nil {
		return Tree{}, nil, err
	}
	return tree, made, nil
}

// update is Update with the new chunks handed to emit as they are made.
func (h *Hasher) update(ctx context.Context, src ChunkReader, base Tree, size int64, edits []Edit, emit func(Chunk) error) (Tree, error) {
	if err := checkEdits(size, edits); err != nil {
		return Tree{}, err
	}
	if size == 0 {
		return Tree{Root: h.Block(nil)}, nil
	}
	u := updater{
		h: h, src: src, emit: emit,
		emitted: make(map[Reference]struct{}),
		zeros:   make(map[int64]Reference),
	}
	root, err := u.subtree(ctx, 0, size, base, edits)
	if err != nil {
		return Tree{}, err
	}
	return Tree{Root: root, Size: size}, nil
}

// checkEdits looks whether every edit is of a block of the file, in order.
func checkEdits(size int64, edits []Edit) error {
	if size < 0 {
		return fmt.Errorf("%w: size %d", ErrEdit, size)
	}
	next, count := int64(0), BlockCount(size)
	for _, e := range edits {
		if e.Index < next || e.Index >= count {
			return fmt.Errorf("%w: block %d out of order or outside of %d blocks", ErrEdit, e.Index, count)
		}
		next = e.Index + 1
	}
	return nil
}

// updater is one call of Update.
type updater struct {
	h       *Hasher
	src     ChunkReader
	emit    func(Chunk) error
	emitted map[Reference]struct{}
	zeros   map[int64]Reference // trees of zeros that were emitted, by size
}

// subtree makes the subtree of size bytes, at least 1, whose first block has
// the given index, and returns its reference. base is what the old file has from that
// block on, as far as the new subtree's place in the tree reaches, and edits
// are those of the subtree.
func (u *updater) subtree(ctx context.Context, index, size int64, base Tree, edits []Edit) (Reference, error) {
	if int64(len(edits)) == BlockCount(size) {
		base = Tree{} // nothing of it is left, and nothing of it needs to be read
	}
	base, err := u.lower(ctx, base, height(size))
	if err != nil {
		return Reference{}, err
	}
	switch {
	case len(edits) == 0 && base.Size == size:
		return base.Root, nil
	case len(edits) == 0 && base.Size == 0:
		return u.zero(size)
	case height(size) == 0:
		return blockRef(index, edits)
	}
	return u.rebuild(ctx, index, size, base, edits)
}

// blockRef returns the reference of a block that does not stay what it was.
func blockRef(index int64, edits []Edit) (Reference, error) {
	if len(edits) == 0 {
		return Reference{}, fmt.Errorf("%w: block %d changes its length and has no edit", ErrEdit, index)
	}
	return edits[0].Ref, nil
}

// rebuild makes a subtree out of its children, some of which change.
func (u *updater) rebuild(ctx context.Context, index, size int64, base Tree, edits []Edit) (Reference, error) {
	old, err := u.oldChildren(ctx, base, height(size))
	if err != nil {
		return Reference{}, err
	}
	sizes := childSizes(size)
	refs := make([]Reference, len(sizes))
	for i, childSize := range sizes {
		var child Tree
		if i < len(old) {
			child = old[i]
		}
		next := index + BlockCount(childSize)
		n := sort.Search(len(edits), func(i int) bool { return edits[i].Index >= next })
		if refs[i], err = u.subtree(ctx, index, childSize, child, edits[:n]); err != nil {
			return Reference{}, err
		}
		index, edits = next, edits[n:]
	}
	return u.put(u.h.intermediate(size, refs), base)
}

// lower returns the part of base that fits into a tree of the given height:
// itself, or the first of its descendants that is low enough.
func (u *updater) lower(ctx context.Context, base Tree, limit int) (Tree, error) {
	for height(base.Size) > limit {
		children, err := readChildren(ctx, u.src, base)
		if err != nil {
			return Tree{}, err
		}
		base = Tree{Root: children[0].Ref, Size: children[0].Span}
	}
	return base, nil
}

// oldChildren returns what base, which is not higher than level, has in the
// places of the children of a chunk at that level. A lower tree is the first child.
func (u *updater) oldChildren(ctx context.Context, base Tree, level int) ([]Tree, error) {
	if base.Size == 0 || height(base.Size) < level {
		return []Tree{base}, nil
	}
	children, err := readChildren(ctx, u.src, base)
	if err != nil {
		return nil, err
	}
	trees := make([]Tree, len(children))
	for i, c := range children {
		trees[i] = Tree{Root: c.Ref, Size: c.Span}
	}
	return trees, nil
}

// zero returns the reference of a tree of zeros. Its chunks are emitted like
// any others, since readers of the new tree may ask for them.
func (u *updater) zero(size int64) (Reference, error) {
	if ref, ok := u.zeros[size]; ok {
		return ref, nil
	}
	if height(size) == 0 {
		u.zeros[size] = u.h.ZeroBlock(size)
		return u.zeros[size], nil
	}
	var failed error
	chunk := u.h.zeroRoot(size, func(size int64) Reference {
		ref, err := u.zero(size)
		failed = errors.Join(failed, err)
		return ref
	})
	if failed != nil {
		return Reference{}, failed
	}
	u.zeros[size] = chunk.Ref
	return u.put(chunk, Tree{})
}

// put emits a chunk unless it is the root of base, which it replaces, or was
// emitted before.
func (u *updater) put(c Chunk, base Tree) (Reference, error) {
	if _, ok := u.emitted[c.Ref]; ok || c.Ref == base.Root {
		return c.Ref, nil
	}
	if err := u.emit(c); err != nil {
		return Reference{}, err
	}
	u.emitted[c.Ref] = struct{}{}
	return c.Ref, nil
}
