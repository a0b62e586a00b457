package meta

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// syncer lets callers of Sync share one sync of the log.
type syncer struct {
	committed uint64 // commits so far, under DB.mu

	mu     sync.Mutex
	synced uint64 // commits known to be durable
	failed error  // nothing can be promised any more
}

// Distrust makes every Sync from now on fail: the disk has lost something that can not be written again.
func (d *DB) Distrust(cause error) {
	d.sync.mu.Lock()
	defer d.sync.mu.Unlock()
	if d.sync.failed == nil {
		d.sync.failed = fmt.Errorf("the disk failed; check it and open the store again: %w", cause)
		d.log.Error("the disk failed: nothing written from now on is sure to last", "err", cause)
	}
}

// Sync commits the open group and makes everything committed so far durable.
func (d *DB) Sync(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return ErrClosed
	}
	err := d.commit()
	want := d.sync.committed
	d.mu.Unlock()
	if err != nil {
		return err
	}
	return d.syncUpTo(want)
}

// syncUpTo syncs the log unless somebody else's sync, begun after our commit, did it while we waited.
func (d *DB) syncUpTo(want uint64) error {
	d.sync.mu.Lock()
	defer d.sync.mu.Unlock()
	if d.sync.failed != nil {
		return d.sync.failed
	}
	if d.sync.synced >= want {
		return nil
	}
	d.mu.Lock()
	reached := d.sync.committed
	d.mu.Unlock()
	if err := unix.Fdatasync(int(d.wal.Fd())); err != nil {
		// The kernel forgets which pages it could not write: a second sync would succeed and lie.
		d.sync.failed = fmt.Errorf("sync %s-wal: the disk failed; check it and open the store again: %w", d.path, err)
		return d.sync.failed
	}
	d.sync.synced = reached
	return nil
}
