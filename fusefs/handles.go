package fusefs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"swarmfs/swarmstore"
)

// openFile is an open regular file, from OPEN or CREATE to RELEASE.
type openFile struct {
	ino      swarmstore.Ino
	file     *swarmstore.File
	writable bool
	// atimeDue is true until the first read has looked after the access time.
	atimeDue atomic.Bool
}

// close makes what was written visible to other processes and gives the file back.
func (f *openFile) close(ctx context.Context) error {
	var flushed error
	if f.writable {
		flushed = f.file.Flush(ctx)
	}
	return errors.Join(flushed, f.file.Close())
}

// handleTable gives numbers to what the kernel holds open. The zero value is ready.
type handleTable[T any] struct {
	mu   sync.RWMutex
	next uint64
	open map[uint64]T
}

func (t *handleTable[T]) add(v T) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open == nil {
		t.open = make(map[uint64]T)
	}
	t.next++
	t.open[t.next] = v
	return t.next
}

func (t *handleTable[T]) get(fh uint64) (T, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	v, ok := t.open[fh]
	return v, ok
}

func (t *handleTable[T]) remove(fh uint64) (T, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	v, ok := t.open[fh]
	delete(t.open, fh)
	return v, ok
}

// drain empties the table and returns what was in it.
func (t *handleTable[T]) drain() []T {
	t.mu.Lock()
	defer t.mu.Unlock()
	left := make([]T, 0, len(t.open))
	for _, v := range t.open {
		left = append(left, v)
	}
	clear(t.open)
	return left
}

// openNodes counts, per node, the open handles. The zero value is ready.
type openNodes struct {
	mu     sync.Mutex
	counts map[swarmstore.Ino]openCount
}

type openCount struct{ all, writers int }

func (n *openNodes) add(f *openFile) { n.change(f, 1) }

func (n *openNodes) remove(f *openFile) { n.change(f, -1) }

func (n *openNodes) change(f *openFile, by int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.counts == nil {
		n.counts = make(map[swarmstore.Ino]openCount)
	}
	c := n.counts[f.ino]
	c.all += by
	if f.writable {
		c.writers += by
	}
	if c.all == 0 {
		delete(n.counts, f.ino)
		return
	}
	n.counts[f.ino] = c
}

func (n *openNodes) count(ino swarmstore.Ino) openCount {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.counts[ino]
}

// list returns the nodes that are open.
func (n *openNodes) list() []swarmstore.Ino {
	n.mu.Lock()
	defer n.mu.Unlock()
	inos := make([]swarmstore.Ino, 0, len(n.counts))
	for ino := range n.counts {
		inos = append(inos, ino)
	}
	return inos
}
