package swarmstore

import (
	"context"
	"errors"
	"sync"
	"time"

	"swarmfs/swarmstore/content"
)

const (
	// DefaultSealQuiet is how long after its last close a file is sealed: long enough to seal the many files of
	// a copied tree together, short enough that other processes see them within a second.
	DefaultSealQuiet = 300 * time.Millisecond
	// sealSmallAge is how long a small file that stays open is kept in memory only.
	sealSmallAge = 500 * time.Millisecond
	// sealAge is how long a file that stays open is staged only. Longer saves hashing the same blocks
	// again while they are written, shorter loses less if the process crashes.
	sealAge = 10 * time.Second
	// sealRetry is how long a file that could not be sealed is left alone.
	sealRetry = 5 * time.Second
	// sealTick is how often the sealer looks for files that are due.
	sealTick = 100 * time.Millisecond
	// sealTogether bounds the files that are sealed in one go.
	sealTogether = 512
)

// sealer decides when files are sealed.
type sealer struct {
	quiet time.Duration

	mu  sync.Mutex
	due map[*inode]queued // each holds a reference to its inode

	// working is held while files are being sealed: one round at a time, each on all cores.
	working sync.Mutex
}

// queued is when a file is due, and when it was queued.
type queued struct{ at, queued time.Time }

func (q *sealer) init(quiet time.Duration) {
	q.quiet = quiet
	if quiet == 0 {
		q.quiet = DefaultSealQuiet
	}
	q.due = make(map[*inode]queued)
}

// wrote tells that a file was written. The inode's mu is held.
func (q *sealer) wrote(i *inode) {
	age := sealAge
	if i.small != nil || i.size() <= content.ChunkSize {
		age = sealSmallAge
	}
	q.queue(i, age)
}

// soon tells that a file was closed.
func (q *sealer) soon(i *inode) { q.queue(i, q.quiet) }

// now asks for a file to be sealed in the next round.
func (q *sealer) now(i *inode) { q.queue(i, 0) }

// queue makes a file due in that time, unless it is earlier.
func (q *sealer) queue(i *inode, in time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	entry, waiting := q.due[i]
	if waiting && !entry.at.After(now.Add(in)) {
		return
	}
	if !waiting {
		entry.queued = now
		i.retain()
	}
	entry.at = now.Add(in)
	q.due[i] = entry
}

// retain counts one more reference to an inode that has one.
func (i *inode) retain() {
	i.s.inodes.mu.Lock()
	defer i.s.inodes.mu.Unlock()
	i.refs++
}

// take returns the files that were due at a time, or all that were queued then, their references with them.
func (q *sealer) take(at time.Time, all bool) (list []*inode) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, entry := range q.due {
		if len(list) == sealTogether {
			break
		}
		if !entry.at.After(at) || all && !entry.queued.After(at) {
			delete(q.due, i)
			list = append(list, i)
		}
	}
	return list
}

// sealLoop seals what is due until the store closes.
func (s *Store) sealLoop() {
	tick := time.NewTicker(sealTick)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		if s.o.ReadOnly {
			continue
		}
		for id, err := range s.sealRound(s.ctx, false) {
			s.log.Warn("a file could not be sealed and stays staged", "inode", id, "err", err)
		}
	}
}

// sealRound seals what is due, or everything that is queued when it begins, and returns the errors by inode
// number. Files that failed, or were written meanwhile, are queued again in the end.
func (s *Store) sealRound(ctx context.Context, all bool) map[int64]error {
	s.sealer.working.Lock()
	defer s.sealer.working.Unlock()
	failed := make(map[int64]error)
	var sealed []*inode
	defer func() {
		for _, i := range sealed {
			s.requeue(i, failed[i.ino])
			i.release()
		}
	}()
	began := time.Now()
	for ctx.Err() == nil {
		files := s.sealer.take(began, all)
		if len(files) == 0 {
			break
		}
		sealed = append(sealed, files...)
		for i, err := range s.sealFiles(ctx, files) {
			if errors.Is(err, errSealStale) {
				err = s.sealFiles(ctx, []*inode{i})[i]
			}
			if err != nil && !errors.Is(err, errSealStale) {
				failed[i.ino] = err
			}
		}
	}
	return failed
}

// requeue queues a file again that still has something to seal.
func (s *Store) requeue(i *inode, err error) {
	switch {
	case err != nil:
		s.sealer.queue(i, sealRetry)
	case i.isDirty() && !s.retained.isOrphan(i.ino): // without a name it is not worth sealing
		s.sealer.queue(i, sealAge)
	}
}

// Seal seals everything that is staged in this process, and makes it durable.
func (s *Store) Seal(ctx context.Context) error {
	if s.o.ReadOnly {
		return nil
	}
	for _, i := range s.inodes.dirty() {
		s.sealer.now(i)
		i.release()
	}
	var errs []error
	for _, err := range s.sealRound(ctx, true) {
		errs = append(errs, err)
	}
	errs = append(errs, storeError(s.db.Sync(ctx)))
	return errors.Join(errs...)
}
