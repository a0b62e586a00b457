package posix

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// blockSize is the unit in which swarmfs stores content; sizes around it and
// around the page are where truncation goes wrong.
const blockSize = 512 << 10

var sizes = []int64{
	0, 1, 567, 4095, 4096, 4097, 12345, 1234567,
	blockSize - 1, blockSize, blockSize + 1, 2*blockSize - 1, 2 * blockSize, 3*blockSize + 4095,
}

// truncations are the ways to set the size of a file.
var truncations = []struct {
	name string
	do   func(u user, path string, size int64) result
}{
	{"truncate", func(u user, path string, size int64) result { return u.truncate(path, size) }},
	{"ftruncate", func(u user, path string, size int64) result {
		fd := u.open(path, unix.O_RDWR, 0)
		r := u.ftruncate(fd, size)
		u.f.must(u.close(fd))
		return r
	}},
}

func testTruncate(s *suite, t *testing.T) {
	for _, tr := range truncations {
		t.Run(tr.name, func(t *testing.T) {
			for _, from := range sizes {
				t.Run(fmt.Sprint("from ", from), func(t *testing.T) {
					checkTruncate(s.fixture(t), from, tr.do)
				})
			}
			t.Run("beyond 4 GiB", func(t *testing.T) { checkLarge(s.fixture(t), tr.do) })
			t.Run("to an impossible size", func(t *testing.T) { checkImpossible(s.fixture(t), tr.do) })
		})
	}
	t.Run("what cannot be truncated", func(t *testing.T) { checkNotTruncatable(s.fixture(t)) })
	t.Run("a running program", func(t *testing.T) { checkTextBusy(s, t) })
	t.Run("an unlinked file", func(t *testing.T) { checkTruncateUnlinked(s.fixture(t)) })
}

// checkTruncate sets a file with content to each size; what is kept is the old
// content and what is new reads as zeros.
func checkTruncate(f *fixture, from int64, truncate func(user, string, int64) result) {
	content := bytes.Repeat([]byte("swarmfs "), int(from/8)+1)[:from]
	path := filepath.Join(f.dir, "x")
	for _, to := range sizes {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			f.t.Fatal(err)
		}
		f.want(truncate(f.root, "x", to))
		f.wantSize("x", to)
		got, err := os.ReadFile(path)
		if err != nil {
			f.t.Fatal(err)
		}
		want := make([]byte, to)
		copy(want, content)
		equal(f, fmt.Sprint("content is right at size ", to), bytes.Equal(got, want), true)
	}
	// What was cut off does not come back.
	f.want(truncate(f.root, "x", 1))
	f.want(truncate(f.root, "x", blockSize+10))
	fd := f.root.open("x", unix.O_RDONLY, 0)
	r := f.root.pread(fd, blockSize+10, 0)
	f.must(r)
	equal(f, "bytes beyond the cut are zero", bytes.Count(r.Data[1:], []byte{0}), blockSize+9)
	f.must(f.root.close(fd))
}

// checkLarge: offsets do not wrap at 32 bits.
func checkLarge(f *fixture, truncate func(user, string, int64) result) {
	f.must(f.root.create("x", 0o644))
	for _, size := range []int64{1<<31 - 1, 1 << 31, 1<<31 + 1, 1<<32 - 1, 1 << 32, 1<<32 + 1, 5 << 30, 1 << 40} {
		f.want(truncate(f.root, "x", size))
		f.wantSize("x", size)
		fd := f.root.open("x", unix.O_RDWR, 0)
		f.want(f.root.pwrite(fd, []byte("end"), size-3))
		r := f.root.pread(fd, 10, size-3)
		f.must(r)
		equal(f, fmt.Sprint("the last bytes of ", size), string(r.Data), "end")
		f.wantSize("x", size)
		f.must(f.root.close(fd))
		f.want(truncate(f.root, "x", 0))
	}
}

func checkImpossible(f *fixture, truncate func(user, string, int64) result) {
	f.must(f.root.create("x", 0o644))
	before := f.lstat("x")
	time.Sleep(tick)
	f.want(truncate(f.root, "x", -1), unix.EINVAL)
	f.want(truncate(f.root, "x", -1<<63), unix.EINVAL)
	equal(f, "attributes", f.lstat("x"), before)
	// The largest offset is more than ext4 can hold: either is right, but the
	// size must tell which.
	const huge = 1<<63 - 1
	r := truncate(f.root, "x", huge)
	f.want(r, 0, unix.EFBIG, unix.EINVAL)
	if r.Errno == 0 {
		f.wantSize("x", huge)
	} else {
		f.wantSize("x", 0)
	}
}

func checkNotTruncatable(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	f.want(f.root.truncate("d", 0), unix.EISDIR)
	for _, typ := range []fileType{fifo, block, char, socket} {
		f.must(typ.make(f.root, typ.name))
		f.want(f.root.truncate(typ.name, 0), unix.EINVAL)
	}
	f.must(f.root.create("x", 0o666))
	fd := f.root.open("x", unix.O_RDONLY, 0)
	f.want(f.root.ftruncate(fd, 5), unix.EINVAL)
	f.must(f.root.close(fd))
	f.want(f.root.ftruncate(fd, 5), unix.EBADF)
	f.wantSize("x", 0)
	// Permission is checked when the file is opened, not when it is truncated.
	owner := f.as(ownerID, ownerID)
	f.must(f.root.chown("x", ownerID, ownerID))
	fd = owner.open("x", unix.O_RDWR, 0)
	f.must(f.root.chmod("x", 0))
	f.want(owner.truncate("x", 7), unix.EACCES)
	f.want(owner.ftruncate(fd, 7))
	f.wantSize("x", 7)
	f.must(owner.close(fd))
}

func checkTruncateUnlinked(f *fixture) {
	fd := f.root.open("x", unix.O_CREAT|unix.O_RDWR, 0o644)
	f.must(f.root.pwrite(fd, []byte("hello"), 0))
	f.must(f.root.unlink("x"))
	f.want(f.root.ftruncate(fd, blockSize+1))
	r := f.root.fstat(fd)
	f.must(r)
	equal(f, "size", r.Stat.Size, blockSize+1)
	f.want(f.root.ftruncate(fd, 3))
	r = f.root.pread(fd, 10, 0)
	f.must(r)
	equal(f, "content", string(r.Data), "hel")
	f.must(f.root.close(fd))
}
