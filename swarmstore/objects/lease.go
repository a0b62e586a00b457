package objects

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// leaseWait bounds the wait for a process that deletes.
const leaseWait = 20 * time.Second

// lease is a lock shared by all who are about to use block files that the database does not list yet,
// in this and other processes, against Reap, which deletes such files.
type lease struct {
	file *os.File

	mu    sync.Mutex
	users int
}

func newLease(path string) (*lease, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, err
	}
	return &lease{file: f}, nil
}

// acquire takes the lease together with others. It waits while some process deletes, a matter of milliseconds,
// but not for ever: that process may be stopped.
func (l *lease) acquire() error {
	for deadline := time.Now().Add(leaseWait); ; time.Sleep(time.Millisecond) {
		err := l.tryAcquire()
		if !errors.Is(err, unix.EWOULDBLOCK) || time.Now().After(deadline) {
			return err
		}
	}
}

func (l *lease) tryAcquire() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users == 0 {
		if err := flock(l.file, unix.LOCK_SH|unix.LOCK_NB); err != nil {
			return fmt.Errorf("lock %s: %w", l.file.Name(), err)
		}
	}
	l.users++
	return nil
}

func (l *lease) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users--; l.users == 0 {
		_ = flock(l.file, unix.LOCK_UN) // unlocking a file we hold open cannot fail
	}
}

// exclude runs fn while nobody holds the lease, or reports false at once if somebody does.
func (l *lease) exclude(fn func() error) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.users > 0 || flock(l.file, unix.LOCK_EX|unix.LOCK_NB) != nil {
		return false, nil
	}
	defer func() { _ = flock(l.file, unix.LOCK_UN) }()
	return true, fn()
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if err != unix.EINTR {
			return err
		}
	}
}
