package content

import "bytes"

// maxHeight is the height of a tree of the largest size an int64 can tell.
const maxHeight = 7

// zeroTrees holds the references of full trees of zeros: the chunk, and by
// height the trees in which every intermediate chunk has all its children. A
// full tree of maxHeight would be larger than an int64 can tell.
type zeroTrees struct {
	chunk Reference
	full  [maxHeight]Reference
}

// zeroPayload is what isZeroChunk compares with.
var zeroPayload [ChunkSize]byte

// isZeroChunk reports whether payload is a full chunk of zeros. For other data
// it takes no longer than to see the first byte that is none.
func isZeroChunk(payload []byte) bool {
	return bytes.Equal(payload, zeroPayload[:])
}

// newZeroTrees computes them, each from the one below it.
func (h *Hasher) newZeroTrees() zeroTrees {
	var z zeroTrees
	z.chunk = h.Chunk(ChunkSize, zeroPayload[:])
	below := z.chunk
	for level := range z.full {
		refs := make([]Reference, Branches)
		for i := range refs {
			refs[i] = below
		}
		span := int64(BlockSize) << (branchShift * level)
		below = h.intermediate(span, refs).Ref
		z.full[level] = below
	}
	return z
}

// intermediate makes the chunk above the given children.
func (h *Hasher) intermediate(span int64, refs []Reference) Chunk {
	data := encodeChunk(span, refs)
	return Chunk{Ref: h.Chunk(uint64(span), data[SpanSize:]), Data: data}
}

// ZeroBlock returns the reference of a block of length zero bytes, at most
// BlockSize. It hashes two chunks at most.
func (h *Hasher) ZeroBlock(length int64) Reference {
	switch {
	case length == BlockSize:
		return h.zeros.full[0]
	case length <= ChunkSize:
		return h.Block(zeroPayload[:length])
	}
	refs := make([]Reference, (length-1)/ChunkSize+1)
	for i := range refs {
		refs[i] = h.zeros.chunk
	}
	if tail := length % ChunkSize; tail > 0 {
		refs[len(refs)-1] = h.Block(zeroPayload[:tail])
	}
	return h.intermediate(length, refs).Ref
}

// IsZero reports whether ref refers to a block of length zero bytes.
func (h *Hasher) IsZero(ref Reference, length int64) bool {
	return length >= 0 && length <= BlockSize && ref == h.ZeroBlock(length)
}

// zeroTree returns the reference of a tree of size zero bytes, hashing a chunk
// per level at most.
func (h *Hasher) zeroTree(size int64) Reference {
	level := height(size)
	if level == 0 {
		return h.ZeroBlock(size)
	}
	if level < maxHeight && size == childSize(level+1) {
		return h.zeros.full[level]
	}
	return h.zeroRoot(size, h.zeroTree).Ref
}

// zeroRoot makes the root chunk of a tree of zeros that is larger than a block.
// The function gives the references of its children by their size.
func (h *Hasher) zeroRoot(size int64, child func(size int64) Reference) Chunk {
	sizes := childSizes(size)
	refs := make([]Reference, len(sizes))
	refs[0] = child(sizes[0])
	for i := 1; i < len(sizes); i++ {
		refs[i] = refs[0]
	}
	last := len(sizes) - 1
	if sizes[last] != sizes[0] {
		refs[last] = child(sizes[last])
	}
	return h.intermediate(size, refs)
}
