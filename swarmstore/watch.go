package swarmstore

import (
	"context"
	"time"

	"swarmfs/swarmstore/meta"
)

// watchInterval is how often Watch looks for changes of other processes.
const watchInterval = 100 * time.Millisecond

// Change is something that another process changed. With a Name, what that name in Dir stands for is
// another now, and Ino is what it stood or stands for; without, the attributes of Ino have changed, and
// with Content perhaps its bytes.
type Change struct {
	Ino, Dir Ino
	Name     string
	Content  bool
}

// Watch calls fn with the changes that other processes make to the volume, within a fraction of a second, until
// ctx ends. lost means that there were too many to tell: anything may have changed.
func (v *Volume) Watch(ctx context.Context, fn func(changes []Change, lost bool)) error {
	last, err := v.startWatching(ctx)
	if err != nil {
		return err
	}
	defer v.stopWatching()
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for epoch := v.s.db.Epoch(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-v.s.ctx.Done():
			return ErrClosed
		case <-tick.C:
		}
		now := v.s.db.Epoch()
		if now == epoch {
			continue
		}
		epoch = now
		changes, lost, err := v.changesSince(ctx, &last)
		if err != nil {
			v.s.warn("follow the change log", err)
			lost = true
		}
		if len(changes) > 0 || lost {
			fn(changes, lost)
		}
	}
}

// startWatching makes other processes write the change log, and returns where it ends now.
func (v *Volume) startWatching(ctx context.Context) (last int64, err error) {
	err = v.s.db.UpdateFreeing(ctx, func(tx *meta.Tx) (err error) {
		if err := tx.SetWatching(v.s.session.row.ID, true); err != nil {
			return err
		}
		last, err = tx.LastChange()
		return err
	})
	if err == nil {
		err = v.s.db.Commit()
	}
	return last, storeError(err)
}

func (v *Volume) stopWatching() {
	v.s.warn("stop watching", v.s.db.UpdateFreeing(context.Background(), func(tx *meta.Tx) error {
		return tx.SetWatching(v.s.session.row.ID, false)
	}))
}

func (v *Volume) changesSince(ctx context.Context, last *int64) (changes []Change, lost bool, err error) {
	err = v.s.view(ctx, func(tx *meta.Tx) error {
		newest, err := tx.LastChange()
		if err != nil {
			return err
		}
		lost, err = tx.Changes(v.row.ID, *last, func(c meta.Change) error {
			changes = append(changes, Change{Ino: Ino(c.Ino), Dir: Ino(c.Dir), Name: c.Name, Content: c.Content})
			return nil
		})
		*last = newest
		return err
	})
	return changes, lost, err
}
