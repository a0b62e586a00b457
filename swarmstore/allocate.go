package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/ranges"
)

// copyBuffer is the unit in which CopyRange copies.
const copyBuffer = 1 << 20

// Allocate makes sure that there is room for length bytes from off on, and unless keepSize that the file
// is long enough to have them. The room is not set aside: what others write meanwhile may take it.
func (f *File) Allocate(ctx context.Context, off, length int64, keepSize bool) error {
	if err := f.checkRange(off, length); err != nil {
		return err
	}
	end := off + length
	if err := f.i.lock(ctx); err != nil {
		return err
	}
	size := f.i.size()
	f.i.mu.Unlock()
	if err := f.v.s.roomFor(end - max(off, min(size, end))); err != nil {
		return fmt.Errorf("allocate %d bytes of inode %d: %w", length, f.i.ino, err)
	}
	if keepSize || end <= size {
		return nil
	}
	return f.Truncate(ctx, end)
}

// checkRange refuses what fallocate(2) refuses.
func (f *File) checkRange(off, length int64) error {
	switch {
	case off < 0 || length <= 0:
		return fmt.Errorf("range %d+%d: %w", off, length, ErrInvalid)
	case off > MaxFileSize-length:
		return fmt.Errorf("range %d+%d: %w", off, length, ErrTooBig)
	}
	return f.writable()
}

// roomFor reports whether the disk has room for that many bytes.
func (s *Store) roomFor(bytes int64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(s.dir, &st); err != nil {
		return err
	}
	if bytes > int64(st.Bavail)*st.Bsize {
		return ErrNoSpace
	}
	return nil
}

// PunchHole makes length bytes from off on read as zeros. Unless keepSize the file grows to hold them.
// Whole blocks of zeros take no room once the file is sealed.
func (f *File) PunchHole(ctx context.Context, off, length int64, keepSize bool) error {
	if err := f.checkRange(off, length); err != nil {
		return err
	}
	end := off + length
	if err := f.i.punch(ctx, off, end); err != nil {
		return fmt.Errorf("punch inode %d at %d: %w", f.i.ino, off, storeError(err))
	}
	if keepSize {
		return nil
	}
	attr, err := f.Attr(ctx)
	if err != nil || attr.Size >= end {
		return err
	}
	return f.Truncate(ctx, end)
}

func (i *inode) punch(ctx context.Context, off, end int64) error {
	if err := i.lock(ctx); err != nil {
		return err
	}
	defer i.mu.Unlock()
	end = min(end, i.size())
	i.touch()
	i.s.sealer.wrote(i)
	if err := i.becomeSmall(ctx, end); err != nil {
		return err
	}
	if i.small != nil {
		if off < end {
			i.writeSmall(make([]byte, end-off), off)
		}
		return nil
	}
	for off < end {
		index, at := off/content.BlockSize, off%content.BlockSize
		n := min(end-off, content.BlockSize-at)
		if len(i.pieces[index]) > 0 || off < i.base.base { // else it is zeros already
			if err := i.stageZeros(index, at, n); err != nil {
				return err
			}
		}
		off += n
	}
	return nil
}

// stageZeros makes a range of a block zeros, without bytes on the disk where its filesystem can do that.
func (i *inode) stageZeros(index, at, n int64) error {
	top := i.openPiece(index)
	h, err := i.s.staging.Piece(top.id)
	if err != nil {
		return err
	}
	defer h.Release()
	st, err := h.Stat()
	if err != nil {
		return err
	}
	if st.Size() < at+n {
		if err := h.Truncate(at + n); err != nil {
			return err
		}
	}
	err = unix.Fallocate(int(h.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, at, n)
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = h.WriteAt(make([]byte, n), at)
	}
	if err != nil {
		return err
	}
	top.valid.Add(ranges.Range{Start: at, End: at + n})
	top.unsynced.Add(ranges.Range{Start: at, End: at + n})
	return nil
}

// CopyRange copies up to n bytes from srcOff on to dst at dstOff and returns how many there were. The
// ranges must not overlap within one file.
func (f *File) CopyRange(ctx context.Context, dst *File, srcOff, dstOff, n int64) (int64, error) {
	if n < 0 || srcOff < 0 {
		return 0, fmt.Errorf("copy %d bytes from %d: %w", n, srcOff, ErrInvalid)
	}
	if err := dst.checkRange(dstOff, max(n, 1)); err != nil {
		return 0, err
	}
	if f.i == dst.i && srcOff < dstOff+n && dstOff < srcOff+n {
		return 0, fmt.Errorf("copy within inode %d: %w: ranges overlap", f.i.ino, ErrInvalid)
	}
	buf := make([]byte, min(n, copyBuffer))
	copied := int64(0)
	for copied < n {
		m, err := f.ReadAt(ctx, buf[:min(n-copied, int64(len(buf)))], srcOff+copied)
		if m > 0 {
			w, writeErr := dst.WriteAt(ctx, buf[:m], dstOff+copied)
			copied += int64(w)
			if writeErr != nil {
				return copied, writeErr
			}
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return copied, err
		}
	}
	return copied, nil
}
