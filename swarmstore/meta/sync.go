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
	if d.sync.synced >= want {
		return nil
	}
	d.mu.Lock()
	reached := d.sync.committed
	d.mu.Unlock()
	if err := unix.Fdatasync(int(d.wal.Fd())); err != nil {
		return fmt.Errorf("sync %s-wal: %w", d.path, err)
	}
	d.sync.synced = reached
	return nil
}
