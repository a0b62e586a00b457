package crash

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// crew is one writer of each kind at work on one file system.
type crew struct {
	ledger  *Ledger
	writers []Writer
}

func newCrew(seed uint64) *crew {
	l := &Ledger{}
	return &crew{ledger: l, writers: []Writer{
		newAppender(l, seed),
		newOverwriter(l, seed),
		newLargeWriter(l, seed),
		newTruncater(l, seed),
		newMapper(l, seed),
		newReplacer(l, true, seed),
		newReplacer(l, false, seed),
		newSmallFiles(l),
		newTreeShaper(l, seed),
		newDatabase(l, false),
		newDatabase(l, true),
	}}
}

// shift is a time during which some of a crew work.
type shift struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu   sync.Mutex
	errs []error
}

// start sets those writers to work below root for whom chosen is true.
func (c *crew) start(root string, chosen func(Writer) bool) *shift {
	ctx, cancel := context.WithCancel(context.Background())
	s := &shift{cancel: cancel, done: make(chan struct{})}
	var wg sync.WaitGroup
	for _, w := range c.writers {
		if !chosen(w) {
			continue
		}
		wg.Go(func() {
			if err := w.Work(ctx, filepath.Join(root, w.Name())); err != nil {
				s.mu.Lock()
				s.errs = append(s.errs, fmt.Errorf("%s: %w", w.Name(), err))
				s.mu.Unlock()
			}
		})
	}
	go func() {
		wg.Wait()
		close(s.done)
	}()
	return s
}

// err returns what has failed so far.
func (s *shift) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.errs...)
}

// errHang tells that writers are stuck in the kernel.
var errHang = errors.New("writers hang")

// end tells the writers to stop and waits for them.
func (s *shift) end(limit time.Duration) error {
	s.cancel()
	select {
	case <-s.done:
		return nil
	case <-time.After(limit):
		return fmt.Errorf("%w for %v", errHang, limit)
	}
}

// check lets each writer compare what is left below root with its account.
func check(writers []Writer, root string) error {
	var errs []error
	for _, w := range writers {
		if err := w.Check(filepath.Join(root, w.Name())); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", w.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// frozen copies the accounts at the moment at which fn copies the disk.
func (c *crew) frozen(fn func()) []Writer {
	var copies []Writer
	c.ledger.Freeze(func() {
		for _, w := range c.writers {
			copies = append(copies, w.Clone())
		}
		fn()
	})
	return copies
}
