package swarmstore

import (
	"context"
	"errors"
	"fmt"
	"io"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/fdcache"
	"swarmfs/swarmstore/objects"
	"swarmfs/swarmstore/ranges"
)

// ReadAt reads len(p) bytes from off on; fewer, with io.EOF, at the end of the file.
func (f *File) ReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	f.note(off)
	n, err := f.i.readAt(ctx, p, off)
	if err != nil && err != io.EOF {
		return n, fmt.Errorf("read inode %d at %d: %w", f.i.ino, off, err)
	}
	return n, err
}

func (i *inode) readAt(ctx context.Context, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, ErrInvalid
	}
	n, err := i.tryReadAt(ctx, p, off)
	if errors.Is(err, objects.ErrMissing) {
		// Another process has sealed other content and the old one is collected already.
		i.mu.Lock()
		reloadErr := i.reload(ctx)
		i.mu.Unlock()
		if reloadErr != nil {
			return 0, reloadErr
		}
		n, err = i.tryReadAt(ctx, p, off)
	}
	return n, storeErrorKeepEOF(err)
}

func storeErrorKeepEOF(err error) error {
	if err == io.EOF {
		return err
	}
	return storeError(err)
}

func (i *inode) tryReadAt(ctx context.Context, p []byte, off int64) (int, error) {
	if err := i.rlock(ctx); err != nil {
		return 0, err
	}
	defer i.mu.RUnlock()
	left := i.size() - off
	if left <= 0 {
		return 0, io.EOF
	}
	short := int64(len(p)) > left
	p = p[:min(int64(len(p)), left)]
	if err := i.read(ctx, p, off); err != nil {
		return 0, err
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}

// read fills p, which lies within the file. mu is held.
func (i *inode) read(ctx context.Context, p []byte, off int64) error {
	if i.small != nil {
		copy(p, i.small[off:])
		return nil
	}
	return i.layers.read(ctx, p, off)
}

// ReadFd returns a descriptor and an offset in it where up to n bytes of the file from off on can be read,
// and how many. It is there for splice(2); ok is false when the bytes do not lie in one local file. The
// caller calls release when done, and must not write.
func (f *File) ReadFd(ctx context.Context, off int64, n int) (fd uintptr, fdOff int64, size int, release func(), ok bool) {
	f.note(off)
	h, fdOff, size, err := f.i.readFile(ctx, off, n)
	if err != nil || h == nil {
		return 0, 0, 0, nil, false // ReadAt tells what is wrong
	}
	return h.Fd(), fdOff, size, h.Release, true
}

func (i *inode) readFile(ctx context.Context, off int64, n int) (*fdcache.Handle, int64, int, error) {
	if err := i.rlock(ctx); err != nil {
		return nil, 0, 0, err
	}
	defer i.mu.RUnlock()
	n = int(min(int64(n), i.size()-off))
	index, at := off/content.BlockSize, off%content.BlockSize
	if i.small != nil || n <= 0 || at+int64(n) > content.BlockSize {
		return nil, 0, 0, nil
	}
	if list := i.pieces[index]; len(list) > 0 {
		top := list[len(list)-1]
		if !top.valid.Contains(ranges.Range{Start: at, End: at + int64(n)}) {
			return nil, 0, 0, nil
		}
		h, err := i.s.staging.Piece(top.id)
		return h, at, n, err
	}
	if off+int64(n) > i.base.base {
		return nil, 0, 0, nil
	}
	ref, err := i.blockRef(ctx, index)
	if err != nil {
		return nil, 0, 0, err
	}
	h, err := i.s.objects.BlockFile(ref, content.BlockLen(i.base.tree.Size, index))
	return h, at, n, err
}
