// Package objects keeps the content of files: blocks and the intermediate
// chunks above them, each under its Swarm address and counted by how many
// trees and nodes name it.
//
// Blocks of more than a chunk are files (package blocks); smaller ones and
// intermediate chunks are rows of the database. A block of zeros is not kept
// at all, unless a chunk holds it: its address tells its bytes.
//
// New content comes in through a Batch, whose objects enter the database in the
// same transaction as the node that names them. What nobody names any more is
// collected by Reap, which never deletes a file before the database has durably
// forgotten it.
package objects

import (
	"context"
	"errors"
	"fmt"
	"io"

	lru "github.com/hashicorp/golang-lru/v2"

	"swarmfs/swarmstore/blocks"
	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/fdcache"
	"swarmfs/swarmstore/meta"
)

// ErrMissing tells that an object is not there. It may have been collected after the node that
// named it was read: read the node again.
var ErrMissing = errors.New("content object is missing")

// chunkCache is the number of intermediate chunks kept in memory, 4 KiB each: the trees of 64 GiB of files.
const chunkCache = 1024

// Store keeps the objects of one store directory.
type Store struct {
	db     *meta.DB
	blocks *blocks.Dir
	hasher *content.Hasher
	lease  *lease
	chunks *lru.Cache[content.Reference, []byte]
}

// New returns the objects that db lists. leaseFile is the lock file by which processes keep Reap from
// deleting files that are about to be used.
func New(db *meta.DB, dir *blocks.Dir, hasher *content.Hasher, leaseFile string) (*Store, error) {
	lease, err := newLease(leaseFile)
	if err != nil {
		return nil, err
	}
	chunks, err := lru.New[content.Reference, []byte](chunkCache)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, blocks: dir, hasher: hasher, lease: lease, chunks: chunks}, nil
}

// Close gives up the lock file.
func (s *Store) Close() error { return s.lease.file.Close() }

// Chunk returns an intermediate chunk: span and references.
func (s *Store) Chunk(ctx context.Context, ref content.Reference) ([]byte, error) {
	if data, ok := s.chunks.Get(ref); ok {
		return data, nil
	}
	data, err := s.row(ctx, ref, meta.KindNode)
	if err == nil {
		s.chunks.Add(ref, data)
	}
	return data, err
}

// row returns the bytes of an object that lives in the database.
func (s *Store) row(ctx context.Context, ref content.Reference, want meta.ObjectKind) (data []byte, err error) {
	err = s.db.View(ctx, func(tx *meta.Tx) error {
		kind, found, err := tx.ObjectData(ref[:])
		if errors.Is(err, meta.ErrNotFound) || err == nil && kind != want {
			return fmt.Errorf("%w: %s", ErrMissing, ref)
		}
		data = found
		return err
	})
	return data, err
}

// isHole reports whether the block is one of zeros that is not kept.
func (s *Store) isHole(ref content.Reference, length int64) bool {
	return length > content.ChunkSize && s.hasher.IsZero(ref, length)
}

// BlockFile returns the open file of a block, or nil if the block is not in a file of its own.
func (s *Store) BlockFile(ref content.Reference, length int64) (*fdcache.Handle, error) {
	if length <= content.ChunkSize || length == content.BlockSize && s.isHole(ref, length) {
		return nil, nil
	}
	h, err := s.blocks.Open(ref)
	if errors.Is(err, blocks.ErrNotFound) {
		if s.isHole(ref, length) {
			return nil, nil
		}
		return nil, fmt.Errorf("%w: block %s", ErrMissing, ref)
	}
	return h, err
}

// ReadBlock fills p with the bytes from off on of a block of the given length.
func (s *Store) ReadBlock(ctx context.Context, ref content.Reference, length int64, p []byte, off int64) error {
	if length <= content.ChunkSize {
		data, err := s.row(ctx, ref, meta.KindBlockInline)
		if err != nil {
			return err
		}
		if off+int64(len(p)) > int64(len(data)) {
			return fmt.Errorf("block %s: %w", ref, io.ErrUnexpectedEOF)
		}
		copy(p, data[off:])
		return nil
	}
	h, err := s.BlockFile(ref, length)
	if err != nil {
		return err
	}
	if h == nil {
		clear(p)
		return nil
	}
	defer h.Release()
	if _, err := h.ReadAt(p, off); err != nil {
		return fmt.Errorf("block %s: %w", ref, err)
	}
	return nil
}

// AddRef counts a node's reference to its content.
func (s *Store) AddRef(tx *meta.Tx, t content.Tree) error {
	if t.Size == 0 || t.Size <= content.BlockSize && s.isHole(t.Root, t.Size) {
		return nil
	}
	return tx.AddRef(t.Root[:])
}

// DropRef takes it back.
func (s *Store) DropRef(tx *meta.Tx, t content.Tree) error {
	if t.Size == 0 || t.Size <= content.BlockSize && s.isHole(t.Root, t.Size) {
		return nil
	}
	err := tx.DropRef(t.Root[:])
	if errors.Is(err, meta.ErrNotFound) {
		return nil // damage that fsck reports; dropping what is gone is done
	}
	return err
}
