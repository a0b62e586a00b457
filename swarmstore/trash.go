package swarmstore

import (
	"context"
	"errors"
	"sync"

	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/staging"
)

// trash holds pieces that the database has forgotten but whose files must outlast that change: until it
// is durable a power cut can undo it.
type trash struct {
	mu     sync.Mutex
	pieces []staging.PieceID
}

func (t *trash) add(ids ...staging.PieceID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pieces = append(t.pieces, ids...)
}

// emptyTrash deletes the files.
func (s *Store) emptyTrash(ctx context.Context) error {
	s.trash.mu.Lock()
	pieces := s.trash.pieces
	s.trash.pieces = nil
	s.trash.mu.Unlock()
	if len(pieces) == 0 {
		return nil
	}
	if err := s.db.Sync(ctx); err != nil {
		s.trash.add(pieces...)
		return storeError(err)
	}
	var errs []error
	for _, id := range pieces {
		recorded := false
		err := s.db.View(ctx, func(tx *meta.Tx) (err error) {
			recorded, err = tx.IsStaged(s.session.row.ID, id.Ino, id.Block, id.Gen)
			return err
		})
		if err == nil && !recorded { // else a failing disk has undone the change
			err = s.staging.Remove(id)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
