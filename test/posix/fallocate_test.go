package posix

import (
	"bytes"
	"fmt"
	"testing"

	"golang.org/x/sys/unix"
)

func testFallocate(s *suite, t *testing.T) {
	t.Run("reserving", func(t *testing.T) { checkReserve(s.fixture(t)) })
	t.Run("punching and zeroing", func(t *testing.T) { checkPunch(s.fixture(t)) })
	t.Run("errors", func(t *testing.T) { checkFallocateErrors(s.fixture(t)) })
}

// checkReserve: the size grows to the end of the range unless it is to be kept,
// never shrinks, and the content stays.
func checkReserve(f *fixture) {
	for _, before := range []int64{0, 5, 4096, blockSize + 1} {
		for _, r := range []struct{ off, n int64 }{{0, 1}, {0, 567}, {20, 9}, {4095, 2}, {blockSize - 1, 2}, {3 * blockSize, 1}} {
			for _, mode := range []int{0, unix.FALLOC_FL_KEEP_SIZE} {
				fd := f.root.open("x", unix.O_CREAT|unix.O_RDWR|unix.O_TRUNC, 0o644)
				content := bytes.Repeat([]byte{'a'}, int(before))
				f.must(f.root.pwrite(fd, content, 0))
				f.want(f.root.fallocate(fd, mode, r.off, r.n))
				size := before
				if mode == 0 {
					size = max(before, r.off+r.n)
				}
				f.wantSize("x", size)
				read := f.root.pread(fd, int(size), 0)
				f.must(read)
				want := append(content, make([]byte, size-before)...)
				equal(f, fmt.Sprintf("content is right after fallocate(%d, %d, %d) of %d bytes", mode, r.off, r.n, before), bytes.Equal(read.Data, want), true)
				f.must(f.root.close(fd))
			}
		}
	}
}

func checkPunch(f *fixture) {
	const size = 2*blockSize + 100
	for _, r := range []struct{ off, n int }{{0, 1}, {0, 4096}, {4095, 2}, {100, blockSize}, {blockSize, blockSize}, {blockSize - 1, blockSize + 2}, {size - 1, 1}, {size - 1, 50}, {0, size}} {
		for _, mode := range []int{
			unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE,
			unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE,
			unix.FALLOC_FL_ZERO_RANGE,
		} {
			fd := f.root.open("x", unix.O_CREAT|unix.O_RDWR|unix.O_TRUNC, 0o644)
			content := bytes.Repeat([]byte{'a'}, size)
			f.must(f.root.pwrite(fd, content, 0))
			f.want(f.root.fallocate(fd, mode, int64(r.off), int64(r.n)))
			want := content
			if mode == unix.FALLOC_FL_ZERO_RANGE && r.off+r.n > size {
				want = append(want, make([]byte, r.off+r.n-size)...)
			}
			clear(want[r.off:min(r.off+r.n, len(want))])
			f.wantSize("x", int64(len(want)))
			read := f.root.pread(fd, size+1000, 0)
			f.must(read)
			equal(f, fmt.Sprintf("content is right after mode %#x of %d bytes at %d", mode, r.n, r.off), bytes.Equal(read.Data, want), true)
			f.must(f.root.close(fd))
		}
	}
}

func checkFallocateErrors(f *fixture) {
	fd := f.root.open("x", unix.O_CREAT|unix.O_RDWR, 0o644)
	f.want(f.root.fallocate(fd, 0, 0, 0), unix.EINVAL)
	f.want(f.root.fallocate(fd, 0, 0, -1), unix.EINVAL)
	f.want(f.root.fallocate(fd, 0, -1, 10), unix.EINVAL)
	f.want(f.root.fallocate(fd, 0, 1<<63-10, 100), unix.EFBIG)
	f.want(f.root.fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE, 0, 10), unix.EOPNOTSUPP)
	f.wantSize("x", 0)
	f.must(f.root.close(fd))
	fd = f.root.open("x", unix.O_RDONLY, 0)
	f.want(f.root.fallocate(fd, 0, 0, 10), unix.EBADF)
	f.must(f.root.close(fd))
	f.want(f.root.fallocate(fd, 0, 0, 10), unix.EBADF)
	f.must(f.root.mkdir("d", 0o755))
	fd = f.root.open("d", unix.O_RDONLY, 0)
	f.want(f.root.fallocate(fd, 0, 0, 10), unix.EBADF)
	f.must(f.root.close(fd))
}
