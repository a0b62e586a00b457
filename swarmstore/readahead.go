package swarmstore

import (
	"sync/atomic"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/content"
)

// aheadBlocks is how many blocks a sequential reader finds opened and on their way from the disk: the disk's own
// read-ahead ends with each block's file, and a cold file takes a while to open.
const aheadBlocks = 8

// readahead notices that a handle is read in order.
type readahead struct {
	last  atomic.Int64 // block read last, plus one
	ahead atomic.Int64 // blocks before this one have been asked for
}

// note is told of every read. Sequential ones start the reading of the blocks that come next.
func (f *File) note(off int64) {
	index := off / content.BlockSize
	last := f.ra.last.Swap(index+1) - 1
	if index != last && index != last+1 {
		f.ra.ahead.Store(index + 1)
		return
	}
	want := index + 1 + aheadBlocks
	from := max(f.ra.ahead.Load(), index+1)
	if want-from < aheadBlocks/2 || !f.ra.ahead.CompareAndSwap(f.ra.ahead.Load(), want) {
		return
	}
	go func() {
		for next := from; next < want; next++ {
			if !f.i.prefetch(next) {
				return
			}
		}
	}()
}

// prefetch opens a block of sealed content and asks the disk for it. It reports false when there is nothing to
// fetch: the reader will find out why.
func (i *inode) prefetch(index int64) bool {
	h, _, _, err := i.readFile(i.s.ctx, index*content.BlockSize, 1)
	if err != nil || h == nil {
		return false
	}
	defer h.Release()
	return unix.Fadvise(int(h.Fd()), 0, 0, unix.FADV_WILLNEED) == nil
}
