package content

import "math/bits"

// The measures of a Swarm tree.
const (
	ChunkSize = 4096                 // bytes of payload of a chunk at most
	SpanSize  = 8                    // bytes of the span in front of the payload, little endian
	Branches  = 128                  // references in an intermediate chunk at most
	BlockSize = Branches * ChunkSize // bytes of a block: the content below one intermediate chunk
)

const (
	blockShift  = 19 // BlockSize = 1 << blockShift
	branchShift = 7  // Branches = 1 << branchShift
)

// BlockCount returns the number of blocks of a file of size bytes; an empty
// file has none.
func BlockCount(size int64) int64 {
	if size <= 0 {
		return 0
	}
	return (size-1)>>blockShift + 1
}

// BlockLen returns the length of a file's block: BlockSize, less for the last
// one, and 0 beyond the end.
func BlockLen(size, index int64) int64 {
	if index < 0 || index >= BlockCount(size) {
		return 0
	}
	return min(BlockSize, size-index<<blockShift)
}

// height returns the number of levels of intermediate chunks above the blocks
// of a tree of size bytes: 0 for a lone block, 1 up to 64 MiB, 2 up to 8 GiB.
func height(size int64) int {
	if size <= BlockSize {
		return 0
	}
	// The number of binary digits of the last block's index, in digits of base 128.
	digits := bits.Len64(uint64(size-1) >> blockShift)
	return (digits + branchShift - 1) / branchShift
}

// childSize returns how many bytes are below each child, but the last, of the
// root of a tree of the given height, which is at least 1.
func childSize(height int) int64 {
	return 1 << (blockShift + branchShift*(height-1))
}
