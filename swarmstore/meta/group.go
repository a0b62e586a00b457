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
	return d.update(ctx, false, fn)
}

// UpdateFreeing is Update for a function that removes things: it may use the last reserve of a full disk.
func (d *DB) UpdateFreeing(ctx context.Context, fn func(*Tx) error) error {
	return d.update(ctx, true, fn)
}

// UpdateAtomic runs fn in a savepoint of the group transaction: if it fails, only what it did is undone.
func (d *DB) UpdateAtomic(ctx context.Context, fn func(*Tx) error) error {
	return d.update(ctx, false, func(tx *Tx) error {
		// The group's number must not be undone with the function that asked for it first.
		if _, err := tx.Version(); err != nil {
			return err
		}
		if err := exec(tx.conn, "SAVEPOINT atomic"); err != nil {
			return err
		}
		if err := fn(tx); err != nil {
			tx.wrote = false
			return errors.Join(err, exec(tx.conn, "ROLLBACK TO atomic"), exec(tx.conn, "RELEASE atomic"))
		}
		return exec(tx.conn, "RELEASE atomic")
	})
}

func (d *DB) update(ctx context.Context, freeing bool, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(freeing); err != nil {
		return err
	}
	tx := &Tx{conn: d.writer, db: d, writable: true}
	if err := fn(tx); err != nil {
		if tx.wrote {
			d.rollback(err)
		}
		return err
	}
	d.group.writes++
	if int64(d.group.writes) >= d.margin/mutationBytes || (d.crowded && d.othersWait()) {
		return d.commit()
	}
	return nil
}

// begin opens the group unless it is open.
func (d *DB) begin(freeing bool) error {
	switch {
	case d.closed:
		return ErrClosed
	case d.group.open:
		return nil
	}
	if err := d.reserve(freeing); err != nil {
		return err
	}
	if err := d.lockTurnstile(); err != nil {
		return err
	}
	err := exec(d.writer, "BEGIN IMMEDIATE")
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

// reserve makes sure that the log can grow by a group without asking the disk for room. A group that frees
// space goes on without, if need be: on a full disk nothing else helps.
func (d *DB) reserve(freeing bool) error {
	err := d.reserveMargin()
	if full(err) {
		// The database may have taken in all of the log, and the room be the log's own.
		d.shortenLog()
		err = d.reserveMargin()
	}
	switch {
	case errors.Is(err, unix.EOPNOTSUPP):
		return nil // a filesystem without fallocate: a full disk then shows at the commit
	case full(err) && freeing:
		return nil
	case full(err):
		return fmt.Errorf("%w: free some space on the disk that holds %s: %w", ErrFull, d.path, err)
	}
	return err
}

func full(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

func (d *DB) reserveMargin() error {
	var st unix.Stat_t
	if err := unix.Fstat(int(d.wal.Fd()), &st); err != nil {
		return err
	}
	if st.Size+d.margin <= d.walEnd {
		return nil
	}
	// Twice as much spares doing it again for every group.
	ahead := 2 * d.margin
	err := unix.Fallocate(int(d.wal.Fd()), unix.FALLOC_FL_KEEP_SIZE, st.Size, ahead)
	if full(err) {
		ahead = d.margin
		err = unix.Fallocate(int(d.wal.Fd()), unix.FALLOC_FL_KEEP_SIZE, st.Size, ahead)
	}
	if err == nil {
		d.walEnd = st.Size + ahead
	}
	return err
}

// shortenLog moves the log into the database and cuts it off, unless somebody is reading it.
func (d *DB) shortenLog() {
	d.walEnd = 0
	if err := exec(d.writer, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		d.log.Debug("shorten the metadata log", "err", err)
	}
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
		return fmt.Errorf("commit metadata: %w", err)
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
		d.group.failed++
		d.log.Error("a group of changes was lost", "changes", d.group.writes, "cause", cause)
	}
	d.endGroup()
	d.epoch.Add(1)
}

// Lost counts the groups that a failing disk undid after their callers were told they were done.
func (d *DB) Lost() uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.group.failed
}
