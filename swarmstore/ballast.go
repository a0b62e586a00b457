package swarmstore

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// The ballast is a file that only takes up room. On a full disk a store could not even be opened, to delete
// something: opening makes a few small files, and taking over what a crashed process left staged writes to the
// database. Then the ballast goes. While it is missing only changes that free space are allowed.
const (
	ballastPart            = 32 // of the disk
	minBallast, maxBallast = 1 << 20, 32 << 20
	ballastName            = "ballast"
)

type ballast struct {
	disk    int64 // size of the disk, set when the store is opened
	size    int64
	missing atomic.Bool
}

// dropBallast makes room. It reports false if there is none to be made.
func (s *Store) dropBallast() bool {
	return os.Remove(filepath.Join(s.dir, ballastName)) == nil
}

// weighBallast says how large the ballast of this disk is.
func (s *Store) weighBallast() error {
	var disk unix.Statfs_t
	if err := unix.Statfs(s.dir, &disk); err != nil {
		return err
	}
	s.ballast.disk = int64(disk.Blocks) * disk.Bsize
	s.ballast.size = min(max(s.ballast.disk/ballastPart, minBallast), maxBallast)
	return nil
}

// takeBallast makes sure that the ballast is in place.
func (s *Store) takeBallast() error {
	path := filepath.Join(s.dir, ballastName)
	if st, err := os.Stat(path); err == nil && st.Size() >= s.ballast.size {
		s.ballast.missing.Store(false)
		return nil
	}
	err := writeBallast(path, s.ballast.size)
	if err != nil && !errors.Is(err, unix.EOPNOTSUPP) {
		s.ballast.missing.Store(true)
		return err
	}
	s.ballast.missing.Store(false)
	return nil
}

// writeBallast makes the file whole or not at all.
func writeBallast(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, size)
	if err = errors.Join(err, f.Close()); err == nil {
		return nil
	}
	if removeErr := os.Remove(path); removeErr != nil && !errors.Is(removeErr, fs.ErrNotExist) {
		err = errors.Join(err, removeErr)
	}
	return err
}
