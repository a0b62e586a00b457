package objects

import (
	"context"
	"errors"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
)

// ErrInUse tells that another process, or another goroutine, is storing content right now.
var ErrInUse = errors.New("content is being stored; try again when the store is quiet")

// IsHole reports whether a block of that length is zeros, which are not kept.
func (s *Store) IsHole(ref content.Reference, length int64) bool {
	return length <= content.BlockSize && s.isHole(ref, length)
}

// Stray returns the names of files among the blocks that the database does not account for, and removes them
// if asked to, which needs that nobody is storing content.
func (s *Store) Stray(ctx context.Context, remove bool) (names []string, err error) {
	ok, err := s.lease.exclude(func() error {
		return s.blocks.Each(func(ref content.Reference, path string) error {
			listed := false
			err := s.db.View(ctx, func(tx *meta.Tx) (err error) { listed, err = tx.BlockListed(ref[:]); return err })
			if err != nil || listed {
				return err
			}
			names = append(names, path)
			if remove {
				return s.blocks.RemoveFile(path)
			}
			return nil
		})
	})
	if err == nil && !ok && remove {
		err = ErrInUse
	}
	return names, err
}
