package swarmstore

import (
	"context"
	"errors"
	"sync"

	"swarmfs/swarmstore/meta"
)

// deletePart is the part of what a group has room for that one transaction deletes nodes for.
const deletePart = 2

// deleteTogether is how many nodes one transaction deletes.
func (s *Store) deleteTogether() int { return max(s.db.GroupLimit()/deletePart, 1) }

// retainTable counts what frontends hold of nodes, and knows the nodes of this process that have no name left.
type retainTable struct {
	mu      sync.Mutex
	count   map[int64]int
	orphans map[int64]bool // true: nobody uses it any more, it is to be deleted
	gone    int            // how many of them are true
}

func (t *retainTable) init() {
	t.count = make(map[int64]int)
	t.orphans = make(map[int64]bool)
}

// Retain tells that a frontend's kernel holds n more references to a node, so that it must be kept when its
// last name is removed.
func (v *Volume) Retain(ino Ino, n int) {
	t := &v.s.retained
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count[int64(ino)] += n
	if t.orphans[int64(ino)] {
		t.orphans[int64(ino)] = false
		t.gone--
	}
}

// Forget gives back n references.
func (v *Volume) Forget(ino Ino, n int) {
	t := &v.s.retained
	t.mu.Lock()
	left := t.count[int64(ino)] - n
	if left > 0 {
		t.count[int64(ino)] = left
	} else {
		delete(t.count, int64(ino))
	}
	t.mu.Unlock()
	if left <= 0 && !v.s.inodes.inUse(int64(ino)) {
		t.released(int64(ino))
	}
}

// used reports whether anybody in this process uses the node.
func (t *retainTable) used(s *Store, ino int64) bool {
	t.mu.Lock()
	n := t.count[ino]
	t.mu.Unlock()
	return n > 0 || s.inodes.inUse(ino)
}

// orphaned tells that a node has lost its last name.
func (t *retainTable) orphaned(ino int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.orphans[ino]; !known {
		t.orphans[ino] = false
	}
}

// named tells that a node has a name again.
func (t *retainTable) named(ino int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.orphans[ino] {
		t.gone--
	}
	delete(t.orphans, ino)
}

// isOrphan reports whether the node has no name.
func (t *retainTable) isOrphan(ino int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, orphan := t.orphans[ino]
	return orphan
}

// released tells that the last handle, or the last reference of a kernel, is gone.
func (t *retainTable) released(ino int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if gone, orphan := t.orphans[ino]; orphan && !gone && t.count[ino] == 0 {
		t.orphans[ino] = true
		t.gone++
	}
}

// unused returns orphans that nobody uses.
func (t *retainTable) unused(limit int) (inos []int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.gone == 0 {
		return nil
	}
	for ino, gone := range t.orphans {
		if gone && len(inos) < limit {
			inos = append(inos, ino)
		}
	}
	return inos
}

// deleteForgotten deletes the nodes without a name that nobody uses any more.
func (s *Store) deleteForgotten(ctx context.Context) error {
	for {
		inos := s.retained.unused(s.deleteTogether())
		if len(inos) == 0 {
			return nil
		}
		if err := s.deleteOrphans(ctx, inos); err != nil {
			return err
		}
		done := 0
		for _, ino := range inos {
			if !s.inodes.inUse(ino) {
				s.retained.named(ino)
				done++
			}
		}
		if done == 0 {
			return nil // somebody is about to let go of them
		}
	}
}

// deleteOrphans deletes nodes that have no name.
func (s *Store) deleteOrphans(ctx context.Context, inos []int64) error {
	return s.updateAlone(ctx, true, func(tx *meta.Tx) error {
		for _, ino := range inos {
			n, err := tx.Node(ino)
			if errors.Is(err, meta.ErrNotFound) || err == nil && n.Nlink > 0 {
				continue
			}
			if err != nil {
				return err
			}
			if err := s.deleteNode(tx, n); err != nil {
				return err
			}
		}
		return nil
	})
}

// dropOrphans deletes the nameless nodes of a session that has ended.
func (s *Store) dropOrphans(ctx context.Context, session int64) error {
	var inos []int64
	err := s.view(ctx, func(tx *meta.Tx) (err error) { inos, err = tx.Orphans(session); return err })
	for len(inos) > 0 && err == nil {
		n := min(len(inos), s.deleteTogether())
		err = s.deleteOrphans(ctx, inos[:n])
		inos = inos[n:]
	}
	return err
}
