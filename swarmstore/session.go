package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/ranges"
	"swarmfs/swarmstore/staging"
)

// session is this process's entry among those that have the store open. Its lock file is locked for as
// long as the process lives.
type session struct {
	row  meta.Session
	lock *os.File
}

func (s *Store) sessionLock(id int64) string {
	return filepath.Join(s.dir, "sessions", strconv.FormatInt(id, 10)+".lock")
}

// register enters this process. The lock is taken before the transaction commits, so that nobody
// ever sees the entry without it.
func (s *Store) register(ctx context.Context) (*session, error) {
	me := &session{row: meta.Session{
		PID: int64(os.Getpid()), Purpose: s.o.Purpose, Detail: s.o.Detail, Volume: s.o.Volume, Started: time.Now().UnixNano(),
	}}
	err := s.db.UpdateFreeing(ctx, func(tx *meta.Tx) (err error) {
		if err := tx.AddSession(&me.row); err != nil {
			return err
		}
		if me.lock != nil {
			_ = me.lock.Close() // of an attempt that was undone
		}
		me.lock, err = lockFile(s.sessionLock(me.row.ID))
		return err
	})
	if err != nil {
		return nil, storeError(err)
	}
	s.db.SetSession(me.row.ID)
	return me, storeError(s.db.Commit())
}

// unregister leaves, unless something is staged that the next process must find.
func (s *Store) unregister() error {
	if s.session == nil || s.staging == nil {
		return nil
	}
	if s.o.ReadOnly {
		return s.leave()
	}
	if err := s.dropOrphans(context.Background(), s.session.row.ID); err != nil {
		return err
	}
	left := true
	err := s.db.View(context.Background(), func(tx *meta.Tx) error {
		unsealed, err := tx.Unsealed(s.session.row.ID)
		if err != nil {
			return err
		}
		staged, err := tx.StagedInos(s.session.row.ID)
		left = len(unsealed)+len(staged) > 0
		return err
	})
	if err != nil || left {
		return err
	}
	return s.leave()
}

// leave removes the session from the list.
func (s *Store) leave() error {
	err := s.db.UpdateFreeing(context.Background(), func(tx *meta.Tx) error { return tx.DeleteSession(s.session.row.ID) })
	if err != nil {
		return err
	}
	return errors.Join(s.db.Sync(context.Background()), s.staging.Clear(), os.Remove(s.session.lock.Name()))
}

// lockFile takes an exclusive lock without waiting.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f, nil
}

// alive reports whether the process of a session still runs.
func (s *Store) alive(id int64) bool {
	if s.session != nil && id == s.session.row.ID {
		return true
	}
	f, err := lockFile(s.sessionLock(id))
	if err != nil {
		return true
	}
	_ = f.Close()
	return false
}

// recoverDeadSessions takes over what processes that ended without Close have left.
func (s *Store) recoverDeadSessions(ctx context.Context) error {
	var sessions []meta.Session
	err := s.view(ctx, func(tx *meta.Tx) (err error) { sessions, err = tx.Sessions(); return err })
	if err != nil {
		return err
	}
	for _, other := range sessions {
		if other.ID == s.session.row.ID {
			continue
		}
		lock, err := lockFile(s.sessionLock(other.ID))
		if errors.Is(err, unix.EWOULDBLOCK) {
			continue // alive, or somebody else takes it over
		}
		if err == nil {
			err = errors.Join(s.takeOver(ctx, other.ID), lock.Close())
		}
		if errors.Is(storeError(err), ErrNoSpace) {
			return fmt.Errorf("take over session %d: %w", other.ID, err)
		}
		// Otherwise the store is of use without; the session stays for the next try, and for fsck.
		s.warn(fmt.Sprintf("take over crashed session %d", other.ID), err)
	}
	return nil
}

// takeOver makes a dead session's staged bytes ours. Whoever calls it holds the session's lock.
func (s *Store) takeOver(ctx context.Context, dead int64) error {
	var inos, staged []int64
	gone := true
	err := s.view(ctx, func(tx *meta.Tx) (err error) {
		sessions, err := tx.Sessions()
		for _, other := range sessions {
			gone = gone && other.ID != dead
		}
		if err == nil {
			inos, err = tx.Unsealed(dead)
		}
		if err == nil {
			staged, err = tx.StagedInos(dead)
		}
		return err
	})
	if err != nil || gone {
		return err
	}
	if len(inos)+len(staged) > 0 {
		s.log.Info("taking over what a crashed process left staged", "session", dead, "files", len(inos))
	}
	from := staging.Open(filepath.Join(s.dir, "staging"), dead, 1)
	defer from.Close()
	for _, ino := range append(inos, staged...) {
		if err := s.adoptPieces(ctx, from, dead, ino); err != nil {
			return fmt.Errorf("inode %d: %w", ino, err)
		}
	}
	if err := s.dropOrphans(ctx, dead); err != nil {
		return err
	}
	err = s.updateFreeing(ctx, func(tx *meta.Tx) error { return tx.DeleteSession(dead) })
	if err != nil {
		return err
	}
	if err := s.db.Sync(ctx); err != nil {
		return err
	}
	s.sweep.Store(true)
	return errors.Join(from.Clear(), os.Remove(s.sessionLock(dead)))
}

// adoptPieces moves the staged pieces of one node into this session. The files get second names first,
// and the old ones go when the database has durably changed over.
func (s *Store) adoptPieces(ctx context.Context, from *staging.Dir, dead, ino int64) error {
	var records []meta.StagedPiece
	err := s.view(ctx, func(tx *meta.Tx) (err error) { records, err = tx.Staged(dead, ino); return err })
	if err != nil {
		return err
	}
	if len(records) > 0 {
		if err := s.staging.Make(); err != nil {
			return err
		}
	}
	pieces := make([]*piece, 0, len(records))
	for _, r := range records {
		valid, err := ranges.ParseSet(r.Ranges)
		if err != nil {
			return fmt.Errorf("block %d: %w: %w", r.Block, ErrCorrupt, err)
		}
		p := &piece{id: staging.PieceID{Ino: ino, Block: r.Block, Gen: s.gen.Add(1)}, valid: *valid, recorded: *valid.Clone(), frozen: true}
		old := staging.PieceID{Ino: ino, Block: r.Block, Gen: r.Gen}
		journaled := false
		err = s.view(ctx, func(tx *meta.Tx) error {
			return tx.Journal(dead, ino, r.Block, r.Gen, func(int64, []byte) error { journaled = true; return nil })
		})
		if err != nil {
			return err
		}
		if err := adoptFile(from.Path(old), s.staging.Path(p.id), valid, journaled); err != nil {
			return err
		}
		if journaled {
			if err := s.replayJournal(ctx, dead, old, p); err != nil {
				return err
			}
		}
		pieces = append(pieces, p)
	}
	if len(records) > 0 {
		if err := s.staging.SyncNames(); err != nil {
			return err
		}
	}
	err = s.updateAlone(ctx, true, func(tx *meta.Tx) error {
		for n, p := range pieces {
			if err := s.recordPiece(tx, p.id, &p.recorded); err != nil {
				return err
			}
			if err := tx.DeleteStaged(dead, ino, records[n].Block, records[n].Gen); err != nil {
				return err
			}
		}
		if _, err := tx.MarkSealed(ino, dead); err != nil {
			return err
		}
		return tx.MarkUnsealed(ino, s.session.row.ID)
	})
	if err != nil {
		return err
	}
	return s.loadPieces(ctx, ino, pieces)
}

// replayJournal writes into a piece what the database kept of it, and syncs it.
func (s *Store) replayJournal(ctx context.Context, dead int64, old staging.PieceID, p *piece) error {
	h, err := s.staging.Piece(p.id)
	if err != nil {
		return err
	}
	defer h.Release()
	err = s.view(ctx, func(tx *meta.Tx) error {
		return tx.Journal(dead, old.Ino, old.Block, old.Gen, func(off int64, data []byte) error {
			for _, r := range p.valid.Intersect(ranges.Range{Start: off, End: off + int64(len(data))}) {
				if _, err := h.WriteAt(data[r.Start-off:r.End-off], r.Start); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	return h.Sync()
}

// loadPieces gives a node its recovered pieces and queues it for sealing.
func (s *Store) loadPieces(ctx context.Context, ino int64, pieces []*piece) error {
	i, err := s.inode(ctx, ino)
	if errors.Is(err, ErrNotExist) {
		return nil // deleted; its staged rows went with it
	}
	if err != nil {
		return err
	}
	defer i.release()
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, p := range pieces {
		i.pieces[p.id.Block] = append(i.pieces[p.id.Block], p)
		for _, r := range p.valid.All() {
			i.extent = max(i.extent, p.id.Block*content.BlockSize+r.End)
		}
	}
	i.unsealed = true
	s.sealer.now(i)
	return nil
}

// adoptFile gives a piece a second name, or copies its valid bytes if it has one already and the database keeps
// some that will be written into it: the other name may be a block's, which is never written.
func adoptFile(from, to string, valid *ranges.Set, journaled bool) error {
	var st unix.Stat_t
	err := unix.Stat(from, &st)
	if errors.Is(err, unix.ENOENT) {
		return nil // a power cut came before its name was durable: the database kept all of its bytes
	}
	if err != nil {
		return fmt.Errorf("staged bytes: %s: %w", from, err)
	}
	if st.Nlink == 1 || !journaled {
		return os.Link(from, to)
	}
	return copyRanges(from, to, valid)
}

func copyRanges(from, to string, valid *ranges.Set) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_TRUNC|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	for _, r := range valid.All() {
		if _, err := io.Copy(io.NewOffsetWriter(out, r.Start), io.NewSectionReader(in, r.Start, r.Len())); err != nil {
			return err
		}
	}
	return out.Sync()
}
