package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
	"swarmfs/swarmstore/objects"
	"swarmfs/swarmstore/ranges"
)

// errSealStale tells that a file was cut, or sealed by another process, while it was being sealed.
var errSealStale = errors.New("file changed while it was sealed")

// sealing is one file on its way from staged to sealed.
type sealing struct {
	i       *inode
	layers                  // as they were when it began
	size    int64           // length of the file then
	resized uint64          // i.resized then
	edits   []content.Edit  // the blocks that change
	mu      sync.Mutex      // guards edits
	tree    content.Tree    // the result
	made    []content.Chunk // its new intermediate chunks
	holes   int64           // bytes of it in blocks of zeros
}

// blockBuffers lends buffers of one block for hashing.
var blockBuffers = sync.Pool{New: func() any { return new([content.BlockSize]byte) }}

// sealFiles seals files together: all are hashed on all cores, made durable by one sync, and only then
// recorded. It returns an error for each file that has to be tried again.
func (s *Store) sealFiles(ctx context.Context, files []*inode) map[*inode]error {
	failed := make(map[*inode]error)
	batch, err := s.objects.Begin()
	if err != nil {
		for _, i := range files {
			failed[i] = err
		}
		return failed
	}
	defer batch.Close()
	var ready []*sealing
	for _, i := range files {
		job, err := s.prepareSeal(ctx, batch, i)
		i.noteSeal(failed, err)
		if job != nil {
			ready = append(ready, job)
		}
	}
	if len(ready) == 0 {
		return failed
	}
	err = batch.Barrier()
	for _, job := range ready {
		jobErr := err
		if err == nil {
			jobErr = job.commit(ctx, batch)
		}
		job.i.noteSeal(failed, jobErr)
	}
	return failed
}

// noteSeal notes how sealing a file went. A file that is deleted has nothing to seal any more.
func (i *inode) noteSeal(failed map[*inode]error, err error) {
	err = storeError(err)
	switch {
	case err == nil:
	case errors.Is(err, ErrStale):
		i.forget()
	default:
		i.s.sweep.Store(true) // blocks may have been made in vain
		failed[i] = fmt.Errorf("seal inode %d: %w", i.ino, err)
	}
}

// prepareSeal hashes what is staged of a file and puts it into the batch. It returns nil if nothing is
// left to commit.
func (s *Store) prepareSeal(ctx context.Context, batch *objects.Batch, i *inode) (*sealing, error) {
	job, err := i.freeze(ctx)
	if job == nil || err != nil {
		return nil, err
	}
	if err := job.hash(ctx, batch); err != nil {
		return nil, err
	}
	old := job.base.tree
	if job.base.base == 0 {
		old = content.Tree{}
	}
	job.tree, job.made, err = s.hasher.Update(ctx, s.objects, old, job.size, job.edits)
	if err != nil {
		return nil, err
	}
	for _, c := range job.made {
		if err := batch.PutChunk(ctx, c); err != nil {
			return nil, err
		}
	}
	job.holes, err = job.countHoles(ctx)
	return job, err
}

// freeze takes down what has to be sealed. Later writes go to new pieces.
func (i *inode) freeze(ctx context.Context) (*sealing, error) {
	if err := i.lock(ctx); err != nil {
		return nil, err
	}
	defer i.mu.Unlock()
	if i.small != nil {
		return nil, i.flushSmall(ctx)
	}
	if len(i.pieces) == 0 && !i.unsealed || i.s.retained.isOrphan(i.ino) {
		if !i.changed {
			return nil, nil
		}
		return nil, i.updateNode(ctx, func(*meta.Tx, *meta.Node) error { return nil })
	}
	job := &sealing{i: i, layers: i.layers, size: i.size(), resized: i.resized}
	job.pieces = make(map[int64][]*piece, len(i.pieces))
	for index, list := range i.pieces {
		for _, p := range list {
			p.frozen = true
			job.pieces[index] = append(job.pieces[index], &piece{id: p.id, valid: *p.valid.Clone()})
		}
	}
	return job, nil
}

// forget drops what is staged of a file that another process removed.
func (i *inode) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, list := range i.pieces {
		i.s.trash.add(pieceIDs(list)...)
	}
	clear(i.pieces)
	i.small, i.extent, i.unsealed, i.changed = nil, 0, false, false
}

// hash computes the references of all blocks that change and puts them into the batch.
func (j *sealing) hash(ctx context.Context, batch *objects.Batch) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, index := range j.changedBlocks() {
		group.Go(func() error { return j.hashBlock(ctx, batch, index) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	slices.SortFunc(j.edits, func(a, b content.Edit) int { return int(a.Index - b.Index) })
	return nil
}

// changedBlocks returns the indices of the blocks whose bytes or length are not those of the sealed tree.
func (j *sealing) changedBlocks() []int64 {
	changed := make(map[int64]bool)
	for index := range j.pieces {
		changed[index] = true
	}
	count, old, counts := content.BlockCount(j.size), j.base.tree.Size, j.base.base
	if counts == 0 {
		old = 0
	}
	// Where the tree is cut, and everything of it beyond, zeros have taken its place.
	if counts < old {
		for index := counts / content.BlockSize; index < content.BlockCount(old); index++ {
			changed[index] = true
		}
	}
	for _, last := range []int64{content.BlockCount(old) - 1, count - 1} {
		if last >= 0 && last < content.BlockCount(old) && content.BlockLen(old, last) != blockLen(j.size, last) {
			changed[last] = true
		}
	}
	maps.DeleteFunc(changed, func(index int64, _ bool) bool { return index >= count })
	return slices.Sorted(maps.Keys(changed))
}

// blockLen is the length of a block of a file, 0 beyond its end.
func blockLen(size, index int64) int64 {
	if index >= content.BlockCount(size) {
		return 0
	}
	return content.BlockLen(size, index)
}

func (j *sealing) hashBlock(ctx context.Context, batch *objects.Batch, index int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	buffer := blockBuffers.Get().(*[content.BlockSize]byte)
	defer blockBuffers.Put(buffer)
	data := buffer[:content.BlockLen(j.size, index)]
	if err := j.read(ctx, data, index*content.BlockSize); err != nil {
		return err
	}
	ref := j.i.s.hasher.Block(data)
	if err := j.place(ctx, batch, index, ref, data); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.edits = append(j.edits, content.Edit{Index: index, Ref: ref})
	return nil
}

// place puts a block into the batch: its uppermost piece, made whole, becomes the block's file, which
// spares copying it.
func (j *sealing) place(ctx context.Context, batch *objects.Batch, index int64, ref content.Reference, data []byte) error {
	list := j.pieces[index]
	if len(list) == 0 || len(data) <= content.ChunkSize || j.i.s.hasher.IsZero(ref, int64(len(data))) {
		return batch.PutBlock(ctx, ref, data)
	}
	top := list[len(list)-1]
	whole, err := j.complete(top, data)
	if err != nil {
		return err
	}
	if !whole {
		return batch.PutBlock(ctx, ref, data)
	}
	return batch.AdoptBlock(ctx, ref, data, j.staging.Path(top.id))
}

// complete writes into a piece's file what is missing of its block. It reports false if the file has a second
// name already: then it may be another block, made by an attempt to seal that was given up.
func (j *sealing) complete(p *piece, data []byte) (bool, error) {
	h, err := j.staging.Piece(p.id)
	if err != nil {
		return false, err
	}
	defer h.Release()
	var st unix.Stat_t
	if err := unix.Fstat(int(h.Fd()), &st); err != nil {
		return false, err
	}
	if st.Nlink != 1 {
		return false, nil
	}
	for _, r := range p.valid.Holes(ranges.Range{Start: 0, End: int64(len(data))}) {
		if _, err := h.WriteAt(data[r.Start:r.End], r.Start); err != nil {
			return false, err
		}
	}
	if st.Size > int64(len(data)) {
		return true, h.Truncate(int64(len(data)))
	}
	return true, nil
}

// countHoles sums the blocks of zeros of the new tree.
func (j *sealing) countHoles(ctx context.Context) (int64, error) {
	src := overlay{ChunkReader: j.objects, made: make(map[content.Reference][]byte, len(j.made))}
	for _, c := range j.made {
		src.made[c.Ref] = c.Data
	}
	data, count := int64(0), content.BlockCount(j.tree.Size)
	for index := int64(0); index < count; {
		first, ok, err := j.i.s.hasher.NextData(ctx, src, j.tree, index)
		if err != nil || !ok {
			return j.size - data, err
		}
		next, ok, err := j.i.s.hasher.NextHole(ctx, src, j.tree, first)
		if err != nil {
			return 0, err
		}
		if !ok {
			next = count
		}
		data += min(next*content.BlockSize, j.size) - first*content.BlockSize
		index = next
	}
	return j.size - data, nil
}

// overlay reads intermediate chunks that are not in the database yet.
type overlay struct {
	content.ChunkReader
	made map[content.Reference][]byte
}

func (o overlay) Chunk(ctx context.Context, ref content.Reference) ([]byte, error) {
	if data, ok := o.made[ref]; ok {
		return data, nil
	}
	return o.ChunkReader.Chunk(ctx, ref)
}

// commit makes the result the file's content, unless the file is not what it was when sealing began.
func (j *sealing) commit(ctx context.Context, batch *objects.Batch) error {
	i := j.i
	if err := i.lock(ctx); err != nil {
		return err
	}
	defer i.mu.Unlock()
	if i.resized != j.resized || !i.base.same(j.base) {
		return errSealStale
	}
	rest := i.piecesSince(j)
	// Alone: a damaged tree shows only after the first write, and many blocks are much to write.
	alone := func(ctx context.Context, fn func(*meta.Tx) error) error { return i.s.updateAlone(ctx, false, fn) }
	err := i.updateNodeIn(ctx, alone, func(tx *meta.Tx, n *meta.Node) error {
		if !baseOf(*n, 0).same(j.base) {
			return errSealStale
		}
		if err := batch.Insert(tx, j.tree); err != nil {
			return err
		}
		if err := i.s.setContent(tx, n, j.tree); err != nil {
			return err
		}
		n.Size = max(n.Size, j.size)
		n.Allocated = max(j.size-j.holes, 0)
		for _, list := range j.pieces {
			for _, p := range list {
				if err := tx.DeleteStaged(i.s.session.row.ID, i.ino, p.id.Block, p.id.Gen); err != nil {
					return err
				}
			}
		}
		if err := i.markUnsealed(tx, n, recorded(rest) || n.Size != j.size); err != nil {
			return err
		}
		i.base = baseOf(*n, i.base.epoch)
		return nil
	})
	if err != nil {
		return err
	}
	i.pieces = rest
	i.dropJournal()
	if i.extent <= j.size {
		i.extent = 0
	}
	for _, list := range j.pieces {
		i.s.trash.add(pieceIDs(list)...)
	}
	return nil
}

// dropJournal notes that the database keeps nothing of the file any more, or what it keeps is forgotten.
func (i *inode) dropJournal() {
	i.s.journaled.Add(-i.journal)
	i.journal = 0
}

// piecesSince returns the pieces that were begun after the sealing.
func (i *inode) piecesSince(j *sealing) map[int64][]*piece {
	rest := make(map[int64][]*piece)
	for index, list := range i.pieces {
		if left := list[len(j.pieces[index]):]; len(left) > 0 {
			rest[index] = left
		}
	}
	return rest
}

func recorded(pieces map[int64][]*piece) bool {
	for _, list := range pieces {
		for _, p := range list {
			if !p.recorded.Empty() {
				return true
			}
		}
	}
	return false
}
