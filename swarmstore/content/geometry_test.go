package content_test

import (
	"math"
	"testing"

	"swarmfs/swarmstore/content"
)

func TestBlocksOfASize(t *testing.T) {
	const block = content.BlockSize
	for _, c := range []struct{ size, count, lastLen int64 }{
		{1, 1, 1},
		{block - 1, 1, block - 1},
		{block, 1, block},
		{block + 1, 2, 1},
		{128 * block, 128, block},
		{128*block + 5, 129, 5},
		{1 << 40, 1 << 21, block},
		{math.MaxInt64, 1 << 44, block - 1},
	} {
		if got := content.BlockCount(c.size); got != c.count {
			t.Errorf("BlockCount(%d) = %d, want %d", c.size, got, c.count)
		}
		if got := content.BlockLen(c.size, c.count-1); got != c.lastLen {
			t.Errorf("BlockLen(%d, %d) = %d, want %d", c.size, c.count-1, got, c.lastLen)
		}
		if c.count > 1 && content.BlockLen(c.size, c.count-2) != block {
			t.Errorf("size %d: the block before the last is not full", c.size)
		}
		if content.BlockLen(c.size, c.count) != 0 || content.BlockLen(c.size, -1) != 0 {
			t.Errorf("size %d: blocks outside of the file have a length", c.size)
		}
	}
	for _, size := range []int64{0, -1, math.MinInt64} {
		if content.BlockCount(size) != 0 || content.BlockLen(size, 0) != 0 {
			t.Errorf("size %d has blocks", size)
		}
	}
}
