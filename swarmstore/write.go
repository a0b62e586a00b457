package swarmstore

import (
	"context"
	"fmt"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/ranges"
	"swarmfs/swarmstore/staging"
)

// WriteAt writes p at off. The bytes are staged: visible in this process at once, durable after Sync.
func (f *File) WriteAt(ctx context.Context, p []byte, off int64) (int, error) {
	return f.WriteAtv(ctx, [][]byte{p}, off)
}

// WriteAtv is WriteAt for bytes in several buffers.
func (f *File) WriteAtv(ctx context.Context, bufs [][]byte, off int64) (int, error) {
	if err := f.writable(); err != nil {
		return 0, err
	}
	if err := f.i.lock(ctx); err != nil {
		return 0, err
	}
	defer f.i.mu.Unlock()
	return f.i.writeBuffers(ctx, bufs, off)
}

// Append writes p at the end of the file and returns where that was.
func (f *File) Append(ctx context.Context, p []byte) (int64, error) {
	if err := f.writable(); err != nil {
		return 0, err
	}
	if err := f.i.lock(ctx); err != nil {
		return 0, err
	}
	defer f.i.mu.Unlock()
	off := f.i.size()
	_, err := f.i.writeBuffers(ctx, [][]byte{p}, off)
	return off, err
}

func (i *inode) writeBuffers(ctx context.Context, bufs [][]byte, off int64) (int, error) {
	written := 0
	for _, p := range bufs {
		n, err := i.write(ctx, p, off+int64(written))
		written += n
		if err != nil {
			return written, fmt.Errorf("write inode %d at %d: %w", i.ino, off+int64(written), storeError(err))
		}
	}
	i.s.sealer.wrote(i)
	return written, nil
}

// write stages p. mu is held for writing.
func (i *inode) write(ctx context.Context, p []byte, off int64) (int, error) {
	end := off + int64(len(p))
	switch {
	case off < 0:
		return 0, ErrInvalid
	case end > MaxFileSize || end < off:
		return 0, ErrTooBig
	case len(p) == 0:
		return 0, nil
	}
	if err := i.becomeSmall(ctx, end); err != nil {
		return 0, err
	}
	if i.small != nil {
		if end <= content.ChunkSize {
			i.writeSmall(p, off)
			return len(p), nil
		}
		if err := i.flushSmall(ctx); err != nil {
			return 0, err
		}
	}
	return i.stage(p, off)
}

// stage writes p into the pieces of the blocks it touches.
func (i *inode) stage(p []byte, off int64) (int, error) {
	i.touch()
	written := 0
	for len(p) > 0 {
		index, at := off/content.BlockSize, off%content.BlockSize
		n := min(int64(len(p)), content.BlockSize-at)
		m, err := i.stageBlock(index, p[:n], at)
		written += m
		off += int64(m)
		i.extent = max(i.extent, off)
		if err != nil {
			return written, err
		}
		p = p[n:]
	}
	return written, nil
}

func (i *inode) stageBlock(index int64, p []byte, at int64) (int, error) {
	top := i.openPiece(index)
	h, err := i.s.staging.Piece(top.id)
	if err != nil {
		return 0, err
	}
	defer h.Release()
	n, err := h.WriteAt(p, at)
	if n > 0 {
		top.valid.Add(ranges.Range{Start: at, End: at + int64(n)})
		top.unsynced.Add(ranges.Range{Start: at, End: at + int64(n)})
	}
	return n, err
}

// maxLayers bounds the pieces of one block. Beyond, synced bytes are written over, as most filesystems do all the
// time: a crash may then show some of the later bytes without the others.
const maxLayers = 32

// writable reports whether a piece, the last of so many, takes writes. What the database keeps of it is laid over
// it after a crash, so that such a piece may be written over.
func (p *piece) writable(layers int) bool {
	return !p.frozen && (!p.closed || layers >= maxLayers)
}

// openPiece returns the piece of a block that may be written, a new one if need be.
func (i *inode) openPiece(index int64) *piece {
	list := i.pieces[index]
	if len(list) > 0 && list[len(list)-1].writable(len(list)) {
		return list[len(list)-1]
	}
	p := &piece{id: staging.PieceID{Ino: i.ino, Block: index, Gen: i.s.gen.Add(1)}}
	i.pieces[index] = append(list, p)
	return p
}
