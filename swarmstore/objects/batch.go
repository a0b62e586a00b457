package objects

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
)

// syncEach is the number of block files up to which Barrier syncs each by itself rather than the whole
// filesystem: one costs 0.3 ms, the whole some 10 ms and more if others write much.
const syncEach = 16

// Batch collects new content that no node names yet. Its methods may be called concurrently, except
// for Insert and Close. It is a content.Sink.
type Batch struct {
	s *Store

	mu     sync.Mutex
	files  map[content.Reference]int64 // length of blocks placed as files
	fresh  []content.Reference         // files not known to be durable
	inline map[content.Reference][]byte
	chunks map[content.Reference]content.Chunk
}

// Begin starts a batch. Close it in the end, whatever happens.
func (s *Store) Begin() (*Batch, error) {
	if err := s.lease.acquire(); err != nil {
		return nil, err
	}
	return &Batch{
		s:      s,
		files:  make(map[content.Reference]int64),
		inline: make(map[content.Reference][]byte),
		chunks: make(map[content.Reference]content.Chunk),
	}, nil
}

// Close ends the batch. Files of blocks that were never inserted are left for Stray to find.
func (b *Batch) Close() { b.s.lease.release() }

// PutBlock adds a block.
func (b *Batch) PutBlock(ctx context.Context, ref content.Reference, data []byte) error {
	length := int64(len(data))
	return b.place(ctx, ref, length,
		func() []byte { return slices.Clone(data) },
		func() error { return b.s.blocks.Put(ref, data) })
}

// AdoptBlock adds a block whose bytes are those of a file, which is never written again; data is the same.
func (b *Batch) AdoptBlock(ctx context.Context, ref content.Reference, data []byte, file string) error {
	return b.place(ctx, ref, int64(len(data)),
		func() []byte { return slices.Clone(data) },
		func() error { return b.s.blocks.Adopt(ref, file) })
}

// place puts a block where blocks of its length go, unless it is there.
func (b *Batch) place(ctx context.Context, ref content.Reference, length int64, inline func() []byte, write func() error) error {
	switch {
	case length == 0 || b.s.isHole(ref, length):
		return nil
	case length <= content.ChunkSize:
		b.mu.Lock()
		defer b.mu.Unlock()
		b.inline[ref] = inline()
		return nil
	}
	known, err := b.known(ctx, ref)
	if err != nil {
		return err
	}
	if !known {
		if err := write(); err != nil {
			return fmt.Errorf("write block %s: %w", ref, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.files[ref] = length
	if !known {
		b.fresh = append(b.fresh, ref)
	}
	return nil
}

// known reports whether the block is there and listed, so that its file was durable once. A file that
// the database does not list may be what a crash left and is written anew.
func (b *Batch) known(ctx context.Context, ref content.Reference) (known bool, err error) {
	err = b.s.db.View(ctx, func(tx *meta.Tx) error {
		_, _, err := tx.ObjectData(ref[:])
		known = err == nil
		if errors.Is(err, meta.ErrNotFound) {
			return nil
		}
		return err
	})
	return known && b.s.blocks.Has(ref), err
}

// PutChunk adds an intermediate chunk.
func (b *Batch) PutChunk(_ context.Context, c content.Chunk) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.chunks[c.Ref] = c
	return nil
}

// Barrier makes the files of all blocks put so far durable. Nothing may be inserted before.
func (b *Batch) Barrier() error {
	b.mu.Lock()
	fresh := b.fresh
	b.fresh = nil
	b.mu.Unlock()
	if len(fresh) > syncEach {
		return b.s.blocks.SyncAll()
	}
	for _, ref := range fresh {
		if err := b.s.blocks.Sync(ref); err != nil {
			return err
		}
	}
	return nil
}

// Insert enters the objects of a tree into the database, those below it that are new included.
// The caller counts the reference to the root with AddRef.
func (b *Batch) Insert(tx *meta.Tx, t content.Tree) error {
	if len(b.fresh) > 0 {
		return errors.New("objects: insert before barrier")
	}
	if t.Size == 0 {
		return nil
	}
	return b.insert(tx, content.Child{Ref: t.Root, Span: t.Size, Block: t.Size <= content.BlockSize})
}

func (b *Batch) insert(tx *meta.Tx, c content.Child) error {
	if !c.Block {
		return b.insertChunk(tx, c)
	}
	if data, ok := b.inline[c.Ref]; ok && c.Span <= content.ChunkSize {
		_, err := tx.InsertObject(c.Ref[:], meta.KindBlockInline, c.Span, data)
		return err
	}
	if length, ok := b.files[c.Ref]; ok {
		_, err := tx.InsertObject(c.Ref[:], meta.KindBlockFile, length, nil)
		return err
	}
	if c.Span <= content.ChunkSize && b.s.hasher.IsZero(c.Ref, c.Span) {
		// The zeros that a file was extended by are nobody's to put.
		_, err := tx.InsertObject(c.Ref[:], meta.KindBlockInline, c.Span, make([]byte, c.Span))
		return err
	}
	return nil
}

// insertChunk adds an intermediate chunk and counts its references, if it is new to the database.
func (b *Batch) insertChunk(tx *meta.Tx, c content.Child) error {
	chunk, ok := b.chunks[c.Ref]
	if !ok {
		return nil
	}
	added, err := tx.InsertObject(c.Ref[:], meta.KindNode, c.Span, chunk.Data)
	if err != nil || !added {
		return err
	}
	children, err := content.Children(chunk.Data)
	if err != nil {
		return err
	}
	for _, child := range children {
		if err := b.insert(tx, child); err != nil {
			return err
		}
		if err := b.s.AddRef(tx, content.Tree{Root: child.Ref, Size: child.Span}); err != nil {
			if errors.Is(err, meta.ErrNotFound) {
				err = ErrMissing
			}
			return fmt.Errorf("chunk %s names %s: %w", c.Ref, child.Ref, err)
		}
	}
	return nil
}

// InsertSmall enters content of at most a chunk, without a batch.
func (s *Store) InsertSmall(tx *meta.Tx, t content.Tree, data []byte) error {
	if t.Size == 0 {
		return nil
	}
	_, err := tx.InsertObject(t.Root[:], meta.KindBlockInline, t.Size, data)
	return err
}
