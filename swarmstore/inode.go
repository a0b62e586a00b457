package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/objects"
	"swarmfs/swarmstore/ranges"
	"swarmfs/swarmstore/staging"
)

// inode is the state of a regular file that is open, or has bytes that are not sealed. There is one for
// all handles of the process.
//
// A file's bytes are found in layers: small, which holds all of them; else the pieces of each block, the
// last one uppermost; else the sealed tree, of which the first base.base bytes count; else they are zeros.
//
// Lock order: recording, then mu, then sealer.mu or the database.
type inode struct {
	s   *Store
	ino int64

	refs int // handles, and one for the sealer; under inodeTable.mu

	// recording is held while staged bytes are made durable and recorded, and while the file is cut: who
	// syncs the file meanwhile must wait for that, not find that nothing is left to sync.
	recording sync.Mutex

	mu sync.RWMutex
	layers
	small    []byte // if not nil, the whole content, newer than base
	mine     smallEdits
	extent   int64 // end of the bytes written since the size was recorded
	unsealed bool  // base and recorded size are not the whole truth
	changed  bool  // mtime and ctime below are newer than the recorded ones
	mtime    int64
	ctime    int64
	contents uint64    // counts changes of the bytes by other ways than this process's handles
	written  time.Time // last write
	dirtied  time.Time // first write since it was sealed
	lost     uint64    // meta.DB.Lost when the file was opened or last said so
	journal  int64     // bytes that the database keeps of its pieces
	resized  uint64    // counts truncations, which make a seal under way worthless
}

// layers is where the bytes of a file are, apart from small.
type layers struct {
	objects *objects.Store
	staging *staging.Dir
	base    base
	pieces  map[int64][]*piece // by block, in order of generations
}

// base is what the database says of a file's content.
type base struct {
	tree  content.Tree // the sealed tree
	base  int64        // bytes of it that count
	size  int64        // recorded size of the file
	epoch uint64       // of the database when this was read
}

// piece is a staging file: bytes of one block that are not sealed.
type piece struct {
	id        staging.PieceID
	valid     ranges.Set // relative to the block's start
	recorded  ranges.Set // what the database says is valid: durable, perhaps overwritten since
	unsynced  ranges.Set // written since it was recorded
	journaled bool       // the database keeps bytes of it, because its file is not synced
	frozen    bool       // being sealed: not written any more
	closed    bool       // its file is, or is about to be, durable: not written any more while there is another way
}

// inodeTable holds the inodes in use.
type inodeTable struct {
	mu      sync.Mutex
	byIno   map[int64]*inode
	removed uint64 // inodes removed so far
}

// removals counts the inodes that went out of use. A row that was read while it did not change is newer than
// what any inode of before that had to record.
func (t *inodeTable) removals() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.removed
}

func (t *inodeTable) init() { t.byIno = make(map[int64]*inode) }

// find returns the inode with one more reference, or nil if it is not in use.
func (t *inodeTable) find(ino int64) *inode {
	t.mu.Lock()
	defer t.mu.Unlock()
	i := t.byIno[ino]
	if i != nil {
		i.refs++
	}
	return i
}

// inUse reports whether there are handles on the inode.
func (t *inodeTable) inUse(ino int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.byIno[ino] != nil
}

// dirty returns the inodes that have anything to seal, with one more reference each.
func (t *inodeTable) dirty() []*inode {
	t.mu.Lock()
	all := make([]*inode, 0, len(t.byIno))
	for _, i := range t.byIno {
		i.refs++
		all = append(all, i)
	}
	t.mu.Unlock()
	dirty := all[:0]
	for _, i := range all {
		if i.isDirty() {
			dirty = append(dirty, i)
		} else {
			i.release()
		}
	}
	return dirty
}

// inode returns the inode of a regular file with one more reference.
func (s *Store) inode(ctx context.Context, ino int64) (*inode, error) {
	if i := s.inodes.find(ino); i != nil {
		return i, nil
	}
	var n meta.Node
	epoch := s.db.Epoch()
	err := s.view(ctx, func(tx *meta.Tx) (err error) { n, err = tx.Node(ino); return err })
	if err != nil {
		return nil, fmt.Errorf("inode %d: %w", ino, err)
	}
	if n.Mode&ModeType != ModeRegular {
		return nil, fmt.Errorf("inode %d: %w: not a regular file", ino, ErrInvalid)
	}
	fresh := &inode{s: s, ino: ino, refs: 1, contents: uint64(n.Version), lost: s.db.Lost()}
	fresh.layers = layers{objects: s.objects, staging: s.staging, base: baseOf(n, epoch), pieces: make(map[int64][]*piece)}
	fresh.unsealed = n.Flags&meta.FlagUnsealed != 0
	s.inodes.mu.Lock()
	defer s.inodes.mu.Unlock()
	if i := s.inodes.byIno[ino]; i != nil {
		i.refs++
		return i, nil
	}
	s.inodes.byIno[ino] = fresh
	return fresh, nil
}

// release gives up a reference. The last one removes the inode, and the node if it has no name any more.
func (i *inode) release() {
	t := &i.s.inodes
	t.mu.Lock()
	i.refs--
	last := i.refs == 0
	if last {
		delete(t.byIno, i.ino)
		t.removed++
	}
	t.mu.Unlock()
	if !last {
		return
	}
	// Only a file without a name ends with anything staged: the sealer holds on to the others.
	for _, list := range i.pieces {
		i.s.trash.add(pieceIDs(list)...)
	}
	i.dropJournal()
	i.s.retained.released(i.ino)
}

func baseOf(n meta.Node, epoch uint64) base {
	b := base{tree: content.Tree{Size: n.Span}, base: n.Base, size: n.Size, epoch: epoch}
	copy(b.tree.Root[:], n.Content)
	return b
}

// same reports whether two states of the database name the same bytes.
func (b base) same(o base) bool { return b.tree == o.tree && b.base == o.base }

// isDirty reports whether there is anything to seal.
func (i *inode) isDirty() bool {
	i.mu.RLock()
	defer i.mu.RUnlock()
	return i.dirty()
}

func (i *inode) dirty() bool {
	return i.small != nil || len(i.pieces) > 0 || i.unsealed || i.changed
}

// size returns the length of the file. mu is held.
func (i *inode) size() int64 {
	if i.small != nil {
		return int64(len(i.small))
	}
	return max(i.base.size, i.extent)
}

// refresh reads the node again if another process has committed anything since. mu is held for writing.
func (i *inode) refresh(ctx context.Context) error {
	if i.base.epoch == i.s.db.Epoch() {
		return nil
	}
	return i.reload(ctx)
}

func (i *inode) reload(ctx context.Context) error {
	epoch := i.s.db.Epoch()
	var n meta.Node
	err := i.s.view(ctx, func(tx *meta.Tx) (err error) { n, err = tx.Node(i.ino); return err })
	if errors.Is(err, ErrNotExist) {
		return fmt.Errorf("inode %d: %w", i.ino, ErrStale)
	}
	if err != nil {
		return err
	}
	if err := i.restoreLost(ctx); err != nil {
		return err
	}
	b := baseOf(n, epoch)
	if !b.same(i.base) || b.size != i.base.size {
		i.contents = uint64(n.Version)
	}
	i.base = b
	return nil
}

// rlock locks the inode for reading with a base that is up to date.
func (i *inode) rlock(ctx context.Context) error {
	i.mu.RLock()
	if i.base.epoch == i.s.db.Epoch() {
		return nil
	}
	i.mu.RUnlock()
	i.mu.Lock()
	err := i.refresh(ctx)
	i.mu.Unlock()
	if err != nil {
		return err
	}
	i.mu.RLock()
	return nil
}

// lock locks the inode for writing with a base that is up to date.
func (i *inode) lock(ctx context.Context) error {
	i.mu.Lock()
	if err := i.refresh(ctx); err != nil {
		i.mu.Unlock()
		return err
	}
	return nil
}

// touch notes a change of the bytes. mu is held for writing.
func (i *inode) touch() {
	now := time.Now()
	if !i.dirty() {
		i.dirtied = now
	}
	i.written = now
	i.mtime, i.ctime, i.changed = now.UnixNano(), now.UnixNano(), true
}

// overlay lays over a node's row what is not recorded yet. mu is held since before the row was read.
func (i *inode) overlay(n *meta.Node) {
	if i.small != nil || i.extent > n.Size {
		n.Size = i.size()
		n.Allocated = max(n.Allocated, min(n.Size, n.Allocated+i.stagedBytes()))
	}
	if i.changed {
		n.Mtime, n.Ctime = i.mtime, i.ctime
	}
	if i.dirty() {
		n.Flags |= meta.FlagUnsealed
	}
}

// stagedBytes counts the valid bytes of all pieces. mu is held.
func (i *inode) stagedBytes() (n int64) {
	if i.small != nil {
		return int64(len(i.small))
	}
	for _, list := range i.pieces {
		n += list[len(list)-1].valid.Len()
	}
	return n
}
