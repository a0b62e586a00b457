package swarmstore

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/meta"
)

// SessionInfo describes a process that has the store open.
type SessionInfo struct {
	ID      int64
	PID     int
	Purpose string // mount, command, registry …
	Detail  string // the mount point, for instance
	Volume  string
	Started time.Time
	Alive   bool // false: it crashed, and the next process to open the store takes over what it left
}

// RungBytes is how much content stands on a rung.
type RungBytes struct {
	Rung   Rung
	Blocks int64
	Bytes  int64
}

// Status is a store at a glance.
type Status struct {
	Dir       string
	Sessions  []SessionInfo // this process included
	Volumes   []VolumeInfo
	Rungs     []RungBytes // staged, local, node, network
	CacheSize int64       // limit of the local cache, 0: none
	Disk      Statfs
}

// Statfs is the room on the disk that holds the store.
type Statfs struct {
	BlockSize int64
	Blocks    uint64
	Free      uint64 // blocks
	Available uint64 // blocks that an unprivileged process may use
	Files     uint64 // nodes there are and nodes there is room for
	FilesFree uint64
}

// Sessions lists the processes that have the store open, and those that crashed.
func (s *Store) Sessions(ctx context.Context) (list []SessionInfo, err error) {
	var rows []meta.Session
	err = s.view(ctx, func(tx *meta.Tx) (err error) { rows, err = tx.Sessions(); return err })
	for _, r := range rows {
		list = append(list, SessionInfo{
			ID: r.ID, PID: int(r.PID), Purpose: r.Purpose, Detail: r.Detail, Volume: r.Volume,
			Started: time.Unix(0, r.Started), Alive: s.alive(r.ID),
		})
	}
	return list, err
}

// Status tells what the store holds and who uses it.
func (s *Store) Status(ctx context.Context) (st Status, err error) {
	st = Status{Dir: s.dir, CacheSize: s.o.CacheSize}
	if st.Sessions, err = s.Sessions(ctx); err != nil {
		return st, err
	}
	if st.Volumes, err = s.Volumes(ctx); err != nil {
		return st, err
	}
	if st.Rungs, err = s.rungs(ctx); err != nil {
		return st, err
	}
	st.Disk, err = s.Statfs(ctx)
	return st, err
}

// rungs sums content by rung. What other processes have staged is counted as far as they recorded it.
func (s *Store) rungs(ctx context.Context) (list []RungBytes, err error) {
	list = []RungBytes{{Rung: RungStaged}, {Rung: RungLocal}, {Rung: RungNode}, {Rung: RungNetwork}}
	for _, i := range s.inodes.dirty() {
		i.mu.RLock()
		list[0].Blocks += int64(len(i.pieces))
		list[0].Bytes += i.stagedBytes()
		i.mu.RUnlock()
		i.release()
	}
	err = s.scan(ctx, func(tx *meta.Tx) error {
		pieces, bytes, err := tx.StagedElsewhere(s.session.row.ID)
		if err != nil {
			return err
		}
		list[0].Blocks += pieces
		list[0].Bytes += bytes
		totals, err := tx.Rungs()
		for _, t := range totals {
			list[t.Rung].Blocks, list[t.Rung].Bytes = t.Blocks, t.Bytes
		}
		return err
	})
	return list, err
}

// Statfs returns the room on the disk under the store.
func (s *Store) Statfs(ctx context.Context) (Statfs, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(s.dir, &st); err != nil {
		return Statfs{}, err
	}
	var nodes int64
	err := s.view(ctx, func(tx *meta.Tx) (err error) { nodes, err = tx.NodeCount(); return err })
	return Statfs{
		BlockSize: st.Bsize, Blocks: st.Blocks, Free: st.Bfree, Available: st.Bavail,
		Files: uint64(nodes) + st.Ffree, FilesFree: st.Ffree,
	}, err
}
