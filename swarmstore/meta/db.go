package meta

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

const (
	// GroupAge is how long a group transaction stays open at most: long enough to take in hundreds of
	// mutations, short enough that other processes, who wait for it, do not notice.
	GroupAge = 20 * time.Millisecond
	// mutationBytes is what a mutation adds to the log at most, as a rule: a few pages of 4 KiB each.
	mutationBytes = 32 << 10
	// A margin is kept allocated behind the end of the log for the next group: one part in marginPart of
	// the disk, within limits. What it holds bounds the mutations of a group.
	marginPart, minMargin, maxMargin = 64, 1 << 20, 16 << 20
	// restartMargins is the length of the log, in margins, that makes writers wait for a checkpoint. One
	// starts in the background at half a margin.
	restartMargins = 16
	// readers is the number of connections for reading beside the writer.
	readers = 4
	// waitLimit bounds every wait for another process: one that is stopped inside its
	// transaction must not hang everybody else for ever.
	waitLimit = 20 * time.Second
	// checkpointPatience is how long a checkpoint that makes writers wait waits for a reader.
	checkpointPatience = 50 * time.Millisecond
	// watchInterval is how often the background looks for other processes' commits.
	watchInterval = 100 * time.Millisecond
)

var (
	// ErrFull tells that the disk has no room for the next transaction.
	ErrFull = errors.New("no space left for metadata")
	// ErrClosed tells that the database was closed.
	ErrClosed = errors.New("metadata database is closed")
	// ErrBusy tells that another process kept the database locked for longer than waitLimit.
	ErrBusy = errors.New("another process holds the store's database")
)

// DB is the metadata database of a store. Its methods may be called from any goroutine.
type DB struct {
	path     string
	readOnly bool
	log      *slog.Logger

	// mu owns writer and what follows. It is held for the length of one function, not of a group.
	mu        sync.Mutex
	writer    *sqlite.Conn
	group     group
	session   int64
	crowded   bool // another session is registered: give way between mutations
	turnstile *os.File
	wal       *os.File    // the log
	main      *sharedFile // the database file
	opened    int         // readers
	margin    int64
	closed    bool

	pending   atomic.Bool // a group is open: readers must go through the writer
	freeConns chan *sqlite.Conn
	closing   chan struct{} // closed by Close

	epoch       atomic.Uint64
	lost        atomic.Uint64 // groups lost to a failing disk
	dataVersion int64         // of the writer, under mu

	sync syncer

	stop context.CancelFunc
	done sync.WaitGroup
}

// group is the state of the open group transaction.
type group struct {
	open     bool
	reserved bool // there is room for it on the disk
	writes   int
	version  int64 // 0 until the first write asks for it
	watched  bool  // another session follows the change log
	timer    *time.Timer
}

// Options of Open.
type Options struct {
	ReadOnly bool
	Logger   *slog.Logger
}

// Open opens the database at path, creating or migrating it.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	d := &DB{path: path, readOnly: o.ReadOnly, log: o.Logger, freeConns: make(chan *sqlite.Conn, readers), closing: make(chan struct{})}
	if d.log == nil {
		d.log = slog.New(slog.DiscardHandler)
	}
	if err := d.open(); err != nil {
		d.closeConns()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	ctx, d.stop = context.WithCancel(context.WithoutCancel(ctx))
	d.done.Go(func() { d.background(ctx) })
	return d, nil
}

func (d *DB) open() error {
	if d.readOnly {
		if _, err := os.Stat(d.path); err != nil {
			return err
		}
	}
	var err error
	d.turnstile, err = os.OpenFile(filepath.Join(filepath.Dir(d.path), "turnstile.lock"), os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	// SQLite gives the log and the index the mode of the database, which would be everybody's to read.
	if err := touch(d.path); err != nil {
		return err
	}
	if d.writer, err = d.connect(); err != nil {
		return err
	}
	if err := migrate(d.writer); err != nil {
		return err
	}
	for range readers {
		conn, err := d.connect()
		if err != nil {
			return err
		}
		d.freeConns <- conn
		d.opened++
		if err := sqlitex.ExecuteTransient(conn, "PRAGMA query_only = ON", nil); err != nil {
			return err
		}
	}
	if d.dataVersion, err = pragmaInt(d.writer, "data_version"); err != nil {
		return err
	}
	var st unix.Statfs_t
	if err := unix.Statfs(filepath.Dir(d.path), &st); err != nil {
		return err
	}
	d.margin = min(max(int64(st.Blocks)*st.Bsize/marginPart, minMargin), maxMargin)
	return d.openWAL()
}

// touch makes a file that only its owner may read, unless it exists.
func touch(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_CLOEXEC, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// connect opens one connection. Commits are not synced: Sync does that when somebody asks.
func (d *DB) connect() (*sqlite.Conn, error) {
	conn, err := sqlite.OpenConn(d.path, sqlite.OpenReadWrite, sqlite.OpenCreate)
	if err != nil {
		return nil, err
	}
	conn.SetBusyTimeout(waitLimit)
	// NORMAL makes checkpoints sync the log before and the database after; commits stay unsynced.
	for _, pragma := range []string{
		"PRAGMA auto_vacuum = INCREMENTAL", // before the first table is made
		"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", "PRAGMA wal_autocheckpoint = 0",
		"PRAGMA temp_store = MEMORY", "PRAGMA cache_size = -16384", "PRAGMA foreign_keys = OFF",
	} {
		if err == nil {
			err = sqlitex.ExecuteTransient(conn, pragma, nil)
		}
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// openWAL opens the log, so that Sync can sync it, and makes its directory entry durable.
func (d *DB) openWAL() error {
	// The log exists once somebody has read.
	if _, err := pragmaInt(d.writer, "user_version"); err != nil {
		return err
	}
	main, err := openShared(d.path)
	if err != nil {
		return err
	}
	d.main = main
	wal, err := os.OpenFile(d.path+"-wal", os.O_RDWR|unix.O_CLOEXEC, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return d.createWAL()
	}
	if err != nil {
		return err
	}
	d.wal = wal
	return syncDir(filepath.Dir(d.path))
}

// createWAL makes SQLite create the log by an empty write.
func (d *DB) createWAL() error {
	if err := sqlitex.ExecuteTransient(d.writer, "UPDATE counters SET value = value WHERE name = 'ino'", nil); err != nil {
		return err
	}
	wal, err := os.OpenFile(d.path+"-wal", os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	d.wal = wal
	return syncDir(filepath.Dir(d.path))
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Close commits and syncs what is open and closes the database.
func (d *DB) Close() error {
	err := d.Sync(context.Background())
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	// What came between the two is committed at least.
	err = errors.Join(err, d.commit())
	d.closed = true
	close(d.closing)
	d.mu.Unlock()
	d.stop()
	d.done.Wait()
	return errors.Join(err, d.closeConns())
}

func (d *DB) closeConns() error {
	var errs []error
	if d.writer != nil {
		for range d.opened { // those in use come back
			conn := <-d.freeConns
			errs = append(errs, conn.Close())
		}
		errs = append(errs, d.writer.Close())
	}
	if d.main != nil {
		errs = append(errs, d.main.release())
	}
	for _, f := range []*os.File{d.wal, d.turnstile} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}

// Epoch grows whenever a commit of another process has been seen. State derived from the
// database that was loaded at an older epoch must be loaded anew.
func (d *DB) Epoch() uint64 { return d.epoch.Load() }

// View runs fn on a consistent state that holds everything this process has changed so far.
func (d *DB) View(ctx context.Context, fn func(*Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if d.pending.Load() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.closed {
			return ErrClosed
		}
		if d.group.open {
			defer d.checkGroup()
			return fn(&Tx{conn: d.writer, db: d})
		}
	}
	return d.read(ctx, fn)
}

// Scan is View for a function that reads much: it keeps nobody from writing.
func (d *DB) Scan(ctx context.Context, fn func(*Tx) error) error {
	if err := d.Commit(); err != nil {
		return err
	}
	return d.read(ctx, fn)
}

// read runs fn on a connection of its own.
func (d *DB) read(ctx context.Context, fn func(*Tx) error) error {
	select {
	case <-d.closing:
		return ErrClosed
	default:
	}
	select {
	case conn := <-d.freeConns:
		defer func() { d.freeConns <- conn }()
		return view(conn, d, fn)
	case <-d.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func view(conn *sqlite.Conn, d *DB, fn func(*Tx) error) (err error) {
	if err := exec(conn, "BEGIN"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, exec(conn, "COMMIT")) }()
	return fn(&Tx{conn: conn, db: d})
}

func exec(conn *sqlite.Conn, query string) error {
	stmt, err := conn.Prepare(query)
	if err != nil {
		return err
	}
	_, err = stmt.Step()
	return errors.Join(err, stmt.Reset())
}

// background commits nothing; it watches for other processes' commits and keeps the log short.
func (d *DB) background(ctx context.Context) {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d.lookForCommits()
		d.checkpointIfLong()
	}
}

// lookForCommits advances the epoch if another process has committed.
func (d *DB) lookForCommits() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || d.group.open {
		return // inside a group the state is ours alone
	}
	d.noteDataVersion()
}

// noteDataVersion compares the writer's data version, which changes with commits of other
// connections only, and all commits here are the writer's.
func (d *DB) noteDataVersion() {
	v, err := pragmaInt(d.writer, "data_version")
	if err != nil {
		d.log.Error("read data version", "err", err)
		return
	}
	if v != d.dataVersion {
		d.dataVersion = v
		d.epoch.Add(1)
	}
}

// checkpointIfLong moves the log into the database. It works on a connection of its own, beside the writers.
func (d *DB) checkpointIfLong() {
	if d.readOnly {
		return
	}
	st, err := d.wal.Stat()
	if err != nil || st.Size() < d.margin/2 {
		return
	}
	mode := "PASSIVE"
	if st.Size() > restartMargins*d.margin {
		mode = "RESTART"
	}
	conn := <-d.freeConns
	defer func() { d.freeConns <- conn }()
	// Writers wait meanwhile: a reader that takes its time must not hold them up.
	conn.SetBusyTimeout(checkpointPatience)
	defer conn.SetBusyTimeout(waitLimit)
	if err := exec(conn, "PRAGMA wal_checkpoint("+mode+")"); err != nil {
		d.log.Warn("checkpoint of the metadata log failed; it grows until the disk has room", "err", err)
	}
}

// Abandon drops the open group and closes the database, as the end of the process would. It is there for
// tests of what a crash leaves.
func (d *DB) Abandon() {
	d.mu.Lock()
	if d.group.open {
		d.group.timer.Stop()
		_ = exec(d.writer, "ROLLBACK")
		d.endGroup()
	}
	d.closed = true
	close(d.closing)
	d.mu.Unlock()
	d.stop()
	d.done.Wait()
	_ = d.closeConns()
}
