package meta

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
	"zombiezen.com/go/sqlite"
)

// Update runs fn inside the group transaction. fn must check before it writes; see the package comment.
func (d *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	return d.update(ctx, false, false, fn)
}

// UpdateFreeing is Update for a function that removes things: it may use the last reserve of a full disk.
func (d *DB) UpdateFreeing(ctx context.Context, fn func(*Tx) error) error {
	return d.update(ctx, true, false, fn)
}

// UpdateAlone is Update for a function that changes more than a group has room for. It has a transaction to
// itself, so that nobody else loses anything if the disk has no room for it either. freeing is as in
// UpdateFreeing.
func (d *DB) UpdateAlone(ctx context.Context, freeing bool, fn func(*Tx) error) error {
	return d.update(ctx, freeing, true, fn)
}

// UpdateAtomic is UpdateAlone for a function that may fail after its first write: everything it did is
// undone then.
func (d *DB) UpdateAtomic(ctx context.Context, fn func(*Tx) error) error {
	return d.update(ctx, false, true, fn) // the transaction is its own, so that its rollback undoes nothing else
}

// GroupLimit returns how many simple changes a group has room for. A function that removes many things
// takes no more of them at a time.
func (d *DB) GroupLimit() int { return int(d.margin / mutationBytes) }

func (d *DB) update(ctx context.Context, freeing, alone bool, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if alone {
		if err := d.commit(); err != nil {
			return err
		}
	}
	shared := d.group.open
	err := d.run(freeing, alone, fn)
	if freeing && !shared && errors.Is(err, ErrFull) {
		// Once more with an empty log: fn has been undone.
		d.shortenLog()
		err = d.run(freeing, alone, fn)
	}
	return err
}

// run runs fn in the open group, or a new one.
func (d *DB) run(freeing, alone bool, fn func(*Tx) error) error {
	if err := d.begin(freeing); err != nil {
		return err
	}
	tx := &Tx{conn: d.writer, db: d, writable: true}
	if err := fn(tx); err != nil {
		if tx.wrote {
			d.rollback(err)
		}
		d.checkGroup()
		return err
	}
	d.group.writes++
	switch {
	case alone, !d.group.reserved: // the caller must hear of it if the disk has no room
		return d.commit()
	case d.group.writes >= d.GroupLimit(), d.crowded && d.othersWait():
		return d.commit()
	}
	return nil
}

// begin opens the group unless it is open.
func (d *DB) begin(freeing bool) error {
	switch {
	case d.closed:
		return ErrClosed
	case d.group.open && (d.group.reserved || freeing):
		return nil
	}
	reserved, err := d.reserve(freeing)
	if err != nil {
		return err
	}
	d.group.reserved = reserved
	if d.group.open {
		return nil
	}
	if err := d.lockTurnstile(); err != nil {
		return err
	}
	err = exec(d.writer, "BEGIN IMMEDIATE")
	d.unlockTurnstile()
	if err != nil {
		return beginError(err)
	}
	d.noteDataVersion()
	d.group.open, d.group.writes, d.group.version = true, 0, 0
	d.pending.Store(true)
	if err := d.lookAround(); err != nil {
		d.rollback(err)
		return err
	}
	if d.group.timer == nil {
		d.group.timer = time.AfterFunc(GroupAge, d.commitAged)
	} else {
		d.group.timer.Reset(GroupAge)
	}
	return nil
}

func beginError(err error) error {
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultBusy {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// lookAround learns whether other sessions exist and whether one follows the change log. A session
// registers in a transaction of its own, so the answer holds for this whole group.
func (d *DB) lookAround() error {
	tx := &Tx{conn: d.writer, db: d}
	return tx.row("SELECT count(*), ifnull(max(watching), 0) FROM sessions WHERE id <> ?", func(s *sqlite.Stmt) error {
		d.crowded = s.ColumnInt64(0) > 0
		d.group.watched = s.ColumnInt64(1) != 0
		return nil
	}, d.session)
}

// lockTurnstile waits for its turn to begin a transaction.
func (d *DB) lockTurnstile() error {
	deadline := time.Now().Add(waitLimit)
	for {
		err := unix.Flock(int(d.turnstile.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("lock %s: %w", d.turnstile.Name(), err)
		}
		if time.Now().After(deadline) {
			return ErrBusy
		}
		time.Sleep(200 * time.Microsecond)
	}
}

func (d *DB) unlockTurnstile() {
	if err := unix.Flock(int(d.turnstile.Fd()), unix.LOCK_UN); err != nil {
		d.log.Error("unlock the turnstile", "err", err)
	}
}

// othersWait reports whether another process stands in the turnstile.
func (d *DB) othersWait() bool {
	if unix.Flock(int(d.turnstile.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil {
		return true
	}
	d.unlockTurnstile()
	return false
}

// Commit ends the open group: its changes survive a crash of this process and other processes see them.
func (d *DB) Commit() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.commit()
}

func (d *DB) commitAged() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return
	}
	if err := d.commit(); err != nil {
		d.log.Error("commit of metadata failed; the last changes are lost", "err", err)
	}
}

func (d *DB) commit() error {
	if !d.group.open {
		return nil
	}
	d.group.timer.Stop()
	if err := exec(d.writer, "COMMIT"); err != nil {
		d.rollback(err)
		return fmt.Errorf("commit metadata: %w", fullError(err))
	}
	d.endGroup()
	d.sync.committed++
	return nil
}

func (d *DB) endGroup() {
	d.group.open = false
	d.pending.Store(false)
}

// rollback gives up the open group. What it held is lost, so every state derived from it is stale.
func (d *DB) rollback(cause error) {
	d.group.timer.Stop()
	if d.writer.AutocommitEnabled() {
		d.log.Error("the database rolled the group back", "cause", cause)
	} else if err := exec(d.writer, "ROLLBACK"); err != nil {
		d.log.Error("roll back", "err", err, "cause", cause)
	}
	if d.group.writes > 0 {
		d.lost.Add(1)
		d.log.Error("a group of changes was lost", "changes", d.group.writes, "cause", cause)
	}
	d.endGroup()
	d.epoch.Add(1)
}

// checkGroup notices that SQLite has ended the open transaction by itself, as it does after some errors.
func (d *DB) checkGroup() {
	if d.group.open && d.writer.AutocommitEnabled() {
		d.rollback(errors.New("the database gave the transaction up"))
	}
}

// Lost counts the groups that a failing disk undid after their callers were told they were done.
func (d *DB) Lost() uint64 { return d.lost.Load() }
