package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/blocks"
	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/keys"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/objects"
	"swarmfs/swarmstore/staging"
)

// Options of Open. The zero value is fine.
type Options struct {
	ReadOnly  bool              // refuse every change
	Logger    *slog.Logger      // nil: silent
	CacheSize int64             // bytes of blocks kept at most once the network has them; 0: no limit
	Password  keys.PasswordFunc // of the keys; nil: the one in keys/password, made on first use
	SealQuiet time.Duration     // how long a file is left alone before it is sealed; 0: DefaultSealQuiet

	// What Status says of this process.
	Purpose string // mount, command, registry …
	Detail  string // the mount point, for instance
	Volume  string // the volume it serves
}

// janitorInterval is how often deleted content is collected and, rarely needed, other chores are done.
const janitorInterval = 500 * time.Millisecond

// Store is an open store directory. Its methods may be called from any goroutine.
type Store struct {
	dir string
	o   Options
	log *slog.Logger

	db      *meta.DB
	blocks  *blocks.Dir
	objects *objects.Store
	staging *staging.Dir
	hasher  *content.Hasher
	keys    *keys.Ring
	session *session

	inodes   inodeTable
	retained retainTable
	sealer   sealer
	trash    trash
	gen      atomic.Int64 // of pieces
	ballast  ballast
	// journaled counts the bytes of all files that the database keeps until they are sealed.
	journaled atomic.Int64
	sweep     atomic.Bool // a process crashed, or sealing failed: look for block files left behind

	ctx        context.Context // ends when the store closes
	cancel     context.CancelFunc
	background sync.WaitGroup
	closing    sync.Once
	closeErr   error
}

// Open opens the store in dir, making it if it does not exist. What a crashed process left staged
// there is taken over and sealed.
func Open(ctx context.Context, dir string, o Options) (*Store, error) {
	s := &Store{dir: dir, o: o, log: o.Logger}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	err := s.open(ctx)
	if errors.Is(storeError(err), ErrNoSpace) && s.dropBallast() {
		s.log.Warn("the disk is full; the store opens with the room kept for that")
		err = s.reopen(ctx)
	}
	if err != nil {
		s.cancel()
		return nil, fmt.Errorf("open store %s: %w", dir, errors.Join(storeError(err), s.closeParts()))
	}
	if !o.ReadOnly {
		s.warn("set room aside for a full disk", s.takeBallast())
	}
	s.background.Go(s.janitor)
	s.background.Go(s.sealLoop)
	return s, nil
}

func (s *Store) open(ctx context.Context) (err error) {
	if err := s.makeDirs(); err != nil {
		return err
	}
	if err := s.weighBallast(); err != nil {
		return err
	}
	s.hasher = content.NewHasher()
	password := s.o.Password
	if password == nil {
		password = keys.FilePassword(filepath.Join(s.dir, "keys", "password"))
	}
	s.keys = keys.NewRing(filepath.Join(s.dir, "keys"), password)
	s.inodes.init()
	s.retained.init()
	s.sealer.init(s.o.SealQuiet)

	s.db, err = meta.Open(ctx, filepath.Join(s.dir, "store.db"), meta.Options{ReadOnly: s.o.ReadOnly, Logger: s.log})
	if err != nil {
		return storeError(err)
	}
	openFiles := openFileLimit()
	if s.blocks, err = blocks.Open(filepath.Join(s.dir, "blocks"), openFiles); err != nil {
		return err
	}
	if s.objects, err = objects.New(s.db, s.blocks, s.hasher, filepath.Join(s.dir, "blocks.lock")); err != nil {
		return err
	}
	if s.session, err = s.register(ctx); err != nil {
		return err
	}
	s.staging = staging.Open(filepath.Join(s.dir, "staging"), s.session.row.ID, openFiles)
	if s.o.ReadOnly {
		return nil
	}
	if err := s.recoverDeadSessions(ctx); err != nil {
		return err
	}
	return s.finishRemovals(ctx)
}

// reopen opens the store after an attempt that failed.
func (s *Store) reopen(ctx context.Context) error {
	err := s.closeParts()
	s.staging, s.db, s.objects, s.blocks, s.session = nil, nil, nil, nil, nil
	return errors.Join(err, s.open(ctx))
}

func (s *Store) makeDirs() error {
	if s.o.ReadOnly {
		if _, err := os.Stat(filepath.Join(s.dir, "store.db")); err != nil {
			return fmt.Errorf("there is no store to read: %w", err)
		}
	}
	for _, sub := range []string{"", "keys", "sessions", "staging"} {
		if err := os.MkdirAll(filepath.Join(s.dir, sub), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// openFileLimit returns how many blocks, and how many pieces, may stay open: a quarter each of what the
// process may have, which leaves half for everything else.
func openFileLimit() int {
	const most = 8192
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil {
		return 64
	}
	return int(min(limit.Cur/4, most))
}

// Close seals what is staged, makes everything durable and closes the store. Files must be closed before.
func (s *Store) Close() error {
	s.closing.Do(func() {
		var errs []error
		if !s.o.ReadOnly {
			// What cannot be sealed now, on a full disk for instance, was staged durably and is taken over next time.
			if err := s.Seal(context.Background()); err != nil {
				s.log.Error("seal on close", "err", err)
				errs = append(errs, s.syncStaged(context.Background()))
			}
			s.reapAll()
			if s.sweep.Swap(false) {
				_, err := s.objects.Stray(context.Background(), true)
				s.warn("remove blocks that were made in vain", err)
			}
		}
		s.cancel()
		s.background.Wait()
		errs = append(errs, s.emptyTrash(context.Background()), s.unregister(), s.closeParts())
		s.closeErr = errors.Join(errs...)
	})
	return s.closeErr
}

// closeParts closes what open has opened so far.
func (s *Store) closeParts() error {
	var errs []error
	if s.staging != nil {
		errs = append(errs, s.staging.Close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.objects != nil {
		errs = append(errs, s.objects.Close())
	}
	if s.blocks != nil {
		errs = append(errs, s.blocks.Close())
	}
	if s.session != nil {
		errs = append(errs, s.session.lock.Close())
	}
	return errors.Join(errs...)
}

// Dir returns the store's directory.
func (s *Store) Dir() string { return s.dir }

// Keys returns the keys that own the store's volumes.
func (s *Store) Keys() *keys.Ring { return s.keys }

// Sync makes everything done so far durable on the local disk.
func (s *Store) Sync(ctx context.Context) error {
	if err := s.syncStaged(ctx); err != nil {
		return err
	}
	return storeError(s.db.Sync(ctx))
}

// syncStaged flushes and syncs every file with unsynced bytes.
func (s *Store) syncStaged(ctx context.Context) error {
	var errs []error
	for _, i := range s.inodes.dirty() {
		errs = append(errs, i.sync(ctx))
		i.release()
	}
	return errors.Join(errs...)
}

// janitor does what nobody waits for: collects deleted content and takes over crashed sessions.
func (s *Store) janitor() {
	tick := time.NewTicker(janitorInterval)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		if s.o.ReadOnly {
			continue
		}
		s.chores(n)
	}
}

func (s *Store) chores(n int) {
	s.warn("delete nodes without a name", s.deleteForgotten(s.ctx))
	s.warn("remove sealed pieces", s.emptyTrash(s.ctx))
	s.reapAll()
	s.shrink()
	if s.ballast.missing.Load() {
		_ = s.takeBallast() // there may be room again
	}
	if s.sweep.Swap(false) {
		_, err := s.objects.Stray(s.ctx, true)
		s.warn("remove blocks that a crashed process left", err)
	}
	if n%60 == 59 { // every half minute
		s.warn("take over crashed sessions", s.recoverDeadSessions(s.ctx))
		s.warn("trim the change log", s.db.Update(s.ctx, (*meta.Tx).TrimChanges))
	}
}

func (s *Store) reapAll() {
	for more := true; more && s.ctx.Err() == nil; {
		var err error
		more, err = s.objects.Reap(s.ctx)
		s.warn("collect unused content", err)
	}
}

// shrink gives room in the database back to the disk. What deleted small files took is there.
func (s *Store) shrink() {
	for more := true; more && s.ctx.Err() == nil; {
		var err error
		more, err = s.db.Shrink(s.ctx, s.ballast.missing.Load())
		s.warn("shrink the database", err)
	}
}

func (s *Store) warn(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		s.log.Warn(what, "err", err)
	}
}

// view, update and friends run a function on the database with this package's errors.
func (s *Store) view(ctx context.Context, fn func(*meta.Tx) error) error {
	return storeError(s.db.View(ctx, fn))
}

// scan is view for a function that reads much.
func (s *Store) scan(ctx context.Context, fn func(*meta.Tx) error) error {
	return storeError(s.db.Scan(ctx, fn))
}

func (s *Store) update(ctx context.Context, fn func(*meta.Tx) error) error {
	if s.o.ReadOnly {
		return ErrReadOnly
	}
	if s.ballast.missing.Load() {
		return fmt.Errorf("%w: delete something, or free some space on the disk that holds %s", ErrNoSpace, s.dir)
	}
	return storeError(s.db.Update(ctx, fn))
}

func (s *Store) updateFreeing(ctx context.Context, fn func(*meta.Tx) error) error {
	if s.o.ReadOnly {
		return ErrReadOnly
	}
	return storeError(s.db.UpdateFreeing(ctx, fn))
}

// updateAlone is for changes of more rows than a few.
func (s *Store) updateAlone(ctx context.Context, freeing bool, fn func(*meta.Tx) error) error {
	if s.o.ReadOnly {
		return ErrReadOnly
	}
	return storeError(s.db.UpdateAlone(ctx, freeing, fn))
}

// storeError gives the errors of the parts below the meaning they have here.
func storeError(err error) error {
	for _, m := range []struct{ below, here error }{
		{meta.ErrNotFound, ErrNotExist},
		{meta.ErrFull, ErrNoSpace},
		{unix.ENOSPC, ErrNoSpace},
		{unix.EDQUOT, ErrNoSpace},
		{meta.ErrClosed, ErrClosed},
		{meta.ErrNewer, ErrNewerStore},
		{objects.ErrMissing, ErrCorrupt},
		{content.ErrMalformed, ErrCorrupt},
	} {
		if errors.Is(err, m.below) && !errors.Is(err, m.here) {
			return fmt.Errorf("%w: %w", m.here, err)
		}
	}
	return err
}
