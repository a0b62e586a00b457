package content

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrMalformed tells that the bytes of an intermediate chunk are not what its
// place in the tree requires.
var ErrMalformed = errors.New("malformed intermediate chunk")

// Tree is the content of a file: the reference of its root and its length. The
// zero Tree is the empty file as well as the one with its proper reference.
type Tree struct {
	Root Reference
	Size int64
}

// Chunk is an intermediate chunk above the blocks. Data is its span and the
// references of its children.
type Chunk struct {
	Ref  Reference
	Data []byte
}

// ChunkReader returns the Data of intermediate chunks. Only chunks above the
// blocks are asked for.
type ChunkReader interface {
	Chunk(ctx context.Context, ref Reference) ([]byte, error)
}

// Child is one child of an intermediate chunk.
type Child struct {
	Ref   Reference
	Span  int64 // bytes of content below it
	Block bool  // it is a block, not an intermediate chunk
}

// Children parses the Data of an intermediate chunk. The span alone determines
// how many children there must be and how long each is; anything else, and the
// span of a block, is ErrMalformed.
func Children(data []byte) ([]Child, error) {
	if len(data) < SpanSize {
		return nil, fmt.Errorf("%w: %d bytes", ErrMalformed, len(data))
	}
	span, refs := binary.LittleEndian.Uint64(data), data[SpanSize:]
	if span <= BlockSize || span > math.MaxInt64 {
		return nil, fmt.Errorf("%w: span %d", ErrMalformed, span)
	}
	sizes := childSizes(int64(span))
	if len(refs) != len(sizes)*ReferenceSize {
		return nil, fmt.Errorf("%w: %d bytes of references for span %d", ErrMalformed, len(refs), span)
	}
	children := make([]Child, len(sizes))
	for i, size := range sizes {
		children[i] = Child{
			Ref:   Reference(refs[i*ReferenceSize : (i+1)*ReferenceSize]),
			Span:  size,
			Block: size <= BlockSize,
		}
	}
	return children, nil
}

// childSizes returns the sizes of the children of the root of a tree, which is
// larger than a block: all the same but the last, which may be smaller.
func childSizes(size int64) []int64 {
	each := childSize(height(size))
	sizes := make([]int64, (size-1)/each+1)
	for i := range sizes {
		sizes[i] = min(each, size-int64(i)*each)
	}
	return sizes
}

// encodeChunk returns the Data of an intermediate chunk.
func encodeChunk(span int64, refs []Reference) []byte {
	data := make([]byte, SpanSize, SpanSize+len(refs)*ReferenceSize)
	binary.LittleEndian.PutUint64(data, uint64(span))
	for i := range refs {
		data = append(data, refs[i][:]...)
	}
	return data
}

// readChildren returns the children of a tree that is larger than a block.
func readChildren(ctx context.Context, src ChunkReader, t Tree) ([]Child, error) {
	data, err := src.Chunk(ctx, t.Root)
	if err != nil {
		return nil, fmt.Errorf("read intermediate chunk %s: %w", t.Root, err)
	}
	children, err := Children(data)
	if err != nil {
		return nil, fmt.Errorf("chunk %s: %w", t.Root, err)
	}
	if span := int64(binary.LittleEndian.Uint64(data)); span != t.Size {
		return nil, fmt.Errorf("chunk %s: %w: span %d where %d is expected", t.Root, ErrMalformed, span, t.Size)
	}
	return children, nil
}
