package fusefs

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"sync"

	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/hanwen/go-fuse/v2/splice"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// minSplice is the size from which splicing pays: below it the system calls around a pipe cost more than copying.
const minSplice = 32 << 10

// maxSplice is the largest reply that fits a pipe: the header takes a page and a range that begins
// within a page another.
var maxSplice = sync.OnceValue(func() int {
	const usual = 1 << 20
	size := usual
	if text, err := os.ReadFile("/proc/sys/fs/pipe-max-size"); err == nil {
		if n, err := strconv.Atoi(string(bytes.TrimSpace(text))); err == nil {
			size = n
		}
	}
	return size - 2*os.Getpagesize()
})

// spliceRead answers a read from the descriptors that hold the content, or returns nil where it cannot: a part
// is not in a file of the store, or the range is better copied.
func spliceRead(ctx context.Context, f *swarmstore.File, offset int64, n int) fuse.ReadResult {
	if n < minSplice || n > maxSplice() {
		return nil
	}
	fd, fdOffset, size, release, ok := f.ReadFd(ctx, offset, n)
	if !ok {
		return nil
	}
	if size == n {
		return &fdResult{fd: fd, offset: fdOffset, size: size, release: release}
	}
	defer release()
	return gather(ctx, f, offset, n, fd, fdOffset, size)
}

// gather joins the descriptors that a range lies in, two where it crosses a block's end, in a pipe. A
// reply may be short only at the end of the file: anywhere else the kernel takes the rest for zeros.
func gather(ctx context.Context, f *swarmstore.File, offset int64, n int, fd uintptr, fdOffset int64, size int) fuse.ReadResult {
	pipe, err := splice.Get()
	if err != nil {
		return nil
	}
	if pipe.Grow(n+2*os.Getpagesize()) != nil || !load(pipe, fd, fdOffset, size) {
		splice.Done(pipe)
		return nil
	}
	for done := size; done < n; {
		fd, fdOffset, size, release, ok := f.ReadFd(ctx, offset+int64(done), n-done)
		if !ok || size == 0 {
			if ok {
				release()
			}
			splice.Done(pipe)
			return nil
		}
		loaded := load(pipe, fd, fdOffset, size)
		release()
		if !loaded {
			splice.Done(pipe)
			return nil
		}
		done += size
	}
	return fuse.ReadResultPipe(pipe, n)
}

// load moves size bytes into the pipe, or reports that it could not.
func load(pipe *splice.Pair, fd uintptr, offset int64, size int) bool {
	for size > 0 {
		n, err := pipe.LoadFromAt(fd, size, offset)
		if err != nil || n <= 0 {
			return false
		}
		offset += int64(n)
		size -= n
	}
	return true
}

// fdResult is a read answered from one descriptor. It implements the interface by which go-fuse splices.
type fdResult struct {
	fd      uintptr
	offset  int64
	size    int
	release func()
}

var _ fuse.ReadResult = (*fdResult)(nil)

// Seekable says where the bytes lie.
func (r *fdResult) Seekable() (fd uintptr, offset int64, size int) { return r.fd, r.offset, r.size }

func (r *fdResult) Size() int { return r.size }

// Bytes is used where splicing failed.
func (r *fdResult) Bytes(buf []byte) ([]byte, fuse.Status) {
	n, err := unix.Pread(int(r.fd), buf[:min(len(buf), r.size)], r.offset)
	if err != nil {
		return nil, fuse.ToStatus(err)
	}
	return buf[:n], fuse.OK
}

// Done is called after the reply.
func (r *fdResult) Done() { r.release() }
