package fusefs

import (
	"context"
	"errors"
	"io"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// Read reads a range of a file. What lies in files of the store goes to the kernel without passing through this process.
func (fs *fileSystem) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	f, ok := fs.files.get(in.Fh)
	if !ok {
		return nil, fuse.EBADF
	}
	if f.atimeDue.CompareAndSwap(true, false) {
		fs.touchAtime(f.ino)
	}
	offset := clampSize(in.Offset)
	var result fuse.ReadResult
	err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) (err error) {
		if result = spliceRead(ctx, f.file, offset, len(buf)); result != nil {
			return nil
		}
		n, err := f.file.ReadAt(ctx, buf, offset)
		if errors.Is(err, io.EOF) {
			err = nil
		}
		// A vector is sent as it is; for plain data go-fuse would first try to splice it.
		result = fuse.ReadResultVector([][]byte{buf[:n]})
		return err
	})
	if err != nil {
		return nil, fs.status("read", f.ino, err)
	}
	return result, fuse.OK
}

// Lseek finds data and holes.
//
// What the kernel has not written back yet is unknown here, and it does not write back before it asks. So where somebody
// may be writing, its cache of the file is emptied first, which sends what is dirty. The caller holds the
// file's lock in the kernel meanwhile; emptying the cache does not need it.
func (fs *fileSystem) Lseek(cancel <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	f, ok := fs.files.get(in.Fh)
	if !ok {
		return fuse.EBADF
	}
	if fs.options.Writeback && fs.nodes.count(f.ino).writers > 0 {
		fs.server.InodeNotify(fs.nodeID(f.ino), 0, 0)
	}
	seek := f.file.SeekData
	switch in.Whence {
	case unix.SEEK_DATA:
	case unix.SEEK_HOLE:
		seek = f.file.SeekHole
	default:
		return fuse.EINVAL
	}
	var at int64
	err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) (err error) {
		at, err = seek(ctx, clampSize(in.Offset))
		return err
	})
	if err != nil {
		return fs.status("lseek", f.ino, err)
	}
	out.Offset = uint64(at)
	return fuse.OK
}

// pageOf returns the beginning of the page that holds offset.
func pageOf(offset int64) int64 { return offset &^ (pageSize - 1) }

// pageSize is the unit in which the kernel caches on every platform that matters here; a larger one only
// makes a notification cover less than a page.
const pageSize = 4096

var _ io.ReaderAt = fileReader{}

// fileReader reads a file of the store without being interruptible.
type fileReader struct {
	ctx  context.Context
	file *swarmstore.File
}

func (r fileReader) ReadAt(p []byte, off int64) (int, error) { return r.file.ReadAt(r.ctx, p, off) }
