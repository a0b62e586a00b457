package objects

import (
	"context"
	"fmt"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
)

const (
	// A transaction of Reap deletes as many objects as one in reapPart of what a group has room for: an
	// intermediate chunk drops references to 128 others, all over the database.
	reapPart = 16
	// doomedBatch is the number of files that Reap deletes at a time.
	doomedBatch = 1024
)

// Reap deletes objects that nobody names any more and reports whether there may be more to do.
func (s *Store) Reap(ctx context.Context) (more bool, err error) {
	taken, err := s.collect(ctx)
	if err != nil {
		return false, fmt.Errorf("collect unused content: %w", err)
	}
	removed, err := s.removeDoomed(ctx)
	if err != nil {
		return false, fmt.Errorf("remove unused blocks: %w", err)
	}
	return taken+removed > 0, nil
}

// collect deletes unreferenced objects from the database; those in files become doomed.
func (s *Store) collect(ctx context.Context) (taken int, err error) {
	idle := false
	err = s.db.View(ctx, func(tx *meta.Tx) error { idle, err = tx.GarbageEmpty(); return err })
	if err != nil || idle {
		return 0, err
	}
	err = s.db.UpdateAlone(ctx, true, func(tx *meta.Tx) error {
		var dead []meta.Object
		dead, taken, err = tx.Garbage(max(s.db.GroupLimit()/reapPart, 1))
		if err != nil {
			return err
		}
		for _, o := range dead {
			if o.Kind != meta.KindNode {
				continue
			}
			if err := s.dropChildren(tx, o.Data); err != nil {
				return err
			}
		}
		return nil
	})
	return taken, err
}

func (s *Store) dropChildren(tx *meta.Tx, data []byte) error {
	children, err := content.Children(data)
	if err != nil {
		return nil // a damaged chunk names nothing that could be dropped; fsck tells of it
	}
	for _, c := range children {
		if err := s.DropRef(tx, content.Tree{Root: c.Ref, Size: c.Span}); err != nil {
			return err
		}
	}
	return nil
}

// removeDoomed deletes the files of blocks that the database has forgotten. That must be durable first, or a
// power cut would bring the rows back without the files; and nobody may be about to use one.
func (s *Store) removeDoomed(ctx context.Context) (removed int, err error) {
	var doomed [][]byte
	err = s.db.View(ctx, func(tx *meta.Tx) error { doomed, err = tx.Doomed(doomedBatch); return err })
	if err != nil || len(doomed) == 0 {
		return 0, err
	}
	if err := s.db.Sync(ctx); err != nil {
		return 0, err
	}
	_, err = s.lease.exclude(func() error {
		return s.db.UpdateAlone(ctx, true, func(tx *meta.Tx) error {
			for _, ref := range doomed { // of these alone the doom is durable
				revived, err := tx.HasObject(ref)
				if err == nil && !revived {
					err = s.blocks.Remove(content.Reference(ref))
				}
				if err == nil {
					err = tx.Undoom(ref)
				}
				if err != nil {
					return err
				}
				removed++
			}
			return nil
		})
	})
	return removed, err
}
