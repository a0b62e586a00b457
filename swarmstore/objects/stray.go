package objects

import (
	"context"
	"errors"
	"time"

	"swarmfs/swarmstore/blocks"
	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
)

// ErrInUse tells that another process, or another goroutine, is storing content right now.
var ErrInUse = errors.New("content is being stored; try again when the store is quiet")

// Stray waits for those who store content, strayAttempts times strayPause for each folder.
const (
	strayAttempts = 200
	strayPause    = 50 * time.Millisecond
)

// IsHole reports whether a block of that length is zeros, which are not kept.
func (s *Store) IsHole(ref content.Reference, length int64) bool {
	return length <= content.BlockSize && s.isHole(ref, length)
}

// Stray returns the names of files among the blocks that the database does not account for, and removes them
// if asked to. Only a crash leaves such files. It goes through one folder after the other, so that nobody
// who stores content waits for long.
func (s *Store) Stray(ctx context.Context, remove bool) (names []string, err error) {
	for folder := range blocks.Folders {
		if err := ctx.Err(); err != nil {
			return names, err
		}
		found, err := s.strayIn(ctx, folder, remove)
		if err != nil {
			return names, err
		}
		names = append(names, found...)
	}
	return names, nil
}

// strayFiles is strayIn when nobody is storing content.
func (s *Store) strayFiles(tx *meta.Tx, folder int, remove bool) (names []string, err error) {
	err = s.blocks.Each(folder, func(ref content.Reference, path string) error {
		listed, err := tx.BlockListed(ref[:])
		if err != nil || listed {
			return err
		}
		names = append(names, path)
		if remove {
			return s.blocks.RemoveFile(path)
		}
		return nil
	})
	return names, err
}

func (s *Store) strayIn(ctx context.Context, folder int, remove bool) (names []string, err error) {
	for range strayAttempts {
		ok, err := s.lease.exclude(func() error {
			// A write transaction waits for everybody's open group: what others have listed is seen here.
			return s.db.UpdateAlone(ctx, true, func(tx *meta.Tx) error {
				names, err = s.strayFiles(tx, folder, remove)
				return err
			})
		})
		if ok || err != nil {
			return names, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(strayPause):
		}
	}
	return nil, ErrInUse
}
