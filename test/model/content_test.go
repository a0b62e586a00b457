package model

import (
	"bytes"
	"fmt"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// contentActions read and change the bytes of open files.
var contentActions = []action{
	{"read", 4, (*machine).read},
	{"write", 8, (*machine).write},
	{"append", 2, (*machine).append},
	{"ftruncate", 3, (*machine).ftruncate},
	{"truncate", 1, (*machine).truncate},
	{"fallocate", 3, (*machine).fallocate},
	{"mmap", 2, (*machine).mmap},
	{"copy", 2, (*machine).copyRange},
	{"seek", 2, (*machine).seek},
	{"fsync", 2, (*machine).fsync},
}

func (m *machine) read() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	off, n := m.offset(), m.length()
	m.both(fmt.Sprintf("read %s at %d, %d bytes", h, off, n), func(side int) outcome {
		buf := make([]byte, n)
		got, err := unix.Pread(h.fd[side], buf, off)
		return outcome{err: err, data: buf[:max(got, 0)]}
	})
}

func (m *machine) write() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	m.writeAt(h, m.offset())
}

// append writes at the end, whatever the flags of the handle.
func (m *machine) append() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	var st unix.Stat_t
	if err := unix.Fstat(h.fd[local], &st); err != nil {
		m.mismatch("fstat %s: %v", h, err)
	}
	if st.Size < maxSize {
		m.writeAt(h, st.Size)
	}
}

func (m *machine) writeAt(h handle, off int64) {
	data := m.payload(m.length())
	m.both(fmt.Sprintf("write %s at %d, %d bytes", h, off, len(data)), func(side int) outcome {
		n, err := unix.Pwrite(h.fd[side], data, off)
		return outcome{err: err, value: fmt.Sprint(n)}
	})
}

func (m *machine) ftruncate() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	size := m.offset()
	m.both(fmt.Sprintf("ftruncate %s to %d", h, size), func(side int) outcome {
		return failed(unix.Ftruncate(h.fd[side], size))
	})
}

func (m *machine) truncate() {
	p, size := m.anyPath(), m.offset()
	var st unix.Stat_t
	err := unix.Lstat(m.path(local, p), &st)
	switch {
	case err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK:
		return // it might lead out of the tree
	case err == nil && st.Size == size:
		return // ext4 updates the times, XFS does not, and POSIX allows both
	}
	m.both(fmt.Sprintf("truncate %s to %d", p, size), func(side int) outcome {
		return failed(unix.Truncate(m.path(side, p), size))
	})
}

func (m *machine) isSymlink(p string) bool {
	var st unix.Stat_t
	return unix.Lstat(m.path(local, p), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK
}

func (m *machine) fallocate() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	mode := []uint32{
		0,
		unix.FALLOC_FL_KEEP_SIZE,
		unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE,
		unix.FALLOC_FL_ZERO_RANGE,
		unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE,
	}[m.pick("mode", 5)]
	off, n := m.offset(), int64(m.length())
	m.both(fmt.Sprintf("fallocate %s mode %#x at %d, %d bytes", h, mode, off, n), func(side int) outcome {
		return failed(unix.Fallocate(h.fd[side], mode, off, n))
	})
}

// mmap writes through a shared mapping, from within the file to at most its end.
func (m *machine) mmap() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	var st unix.Stat_t
	if err := unix.Fstat(h.fd[local], &st); err != nil {
		m.mismatch("fstat %s: %v", h, err)
	}
	if st.Size == 0 {
		return
	}
	off := min(m.offset(), st.Size-1)
	data := m.payload(int(min(int64(m.length()), st.Size-off)))
	m.both(fmt.Sprintf("mmap %s and write at %d, %d bytes", h, off, len(data)), func(side int) outcome {
		return failed(writeMapped(h.fd[side], data, off))
	})
}

func writeMapped(fd int, data []byte, off int64) (err error) {
	page := off / pageSize * pageSize
	mem, err := unix.Mmap(fd, page, int(off-page)+len(data), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	defer func() {
		if e := unix.Munmap(mem); err == nil {
			err = e
		}
	}()
	// A page that cannot be read kills with SIGBUS otherwise.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = unix.EFAULT
		}
	}()
	copy(mem[off-page:], data)
	return unix.Msync(mem, unix.MS_SYNC)
}

// copyRange copies between two handles, which may be the same.
func (m *machine) copyRange() {
	from, ok := m.anyHandle()
	if !ok {
		return
	}
	to, _ := m.anyHandle()
	fromOff, toOff, n := m.offset(), m.offset(), m.length()
	m.both(fmt.Sprintf("copy_file_range %s at %d to %s at %d, %d bytes", from, fromOff, to, toOff, n), func(side int) outcome {
		total, err := copyAll(from.fd[side], fromOff, to.fd[side], toOff, n)
		return outcome{err: err, value: fmt.Sprint(total)}
	})
}

// copyAll repeats what copy_file_range(2) may do in parts.
func copyAll(from int, fromOff int64, to int, toOff int64, n int) (int, error) {
	total := 0
	for total < n {
		// The kernel moves the offsets.
		done, err := unix.CopyFileRange(from, &fromOff, to, &toOff, n-total, 0)
		if err != nil {
			return total, err
		}
		if done == 0 {
			break
		}
		total += done
	}
	return total, nil
}

// seek does not compare the sides, for a file system may represent zeros as it
// likes, but what the mount says of holes with the bytes of the file.
func (m *machine) seek() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	off := m.offset()
	m.trace = append(m.trace, fmt.Sprintf("seek %s from %d", h, off))
	var st unix.Stat_t
	if err := unix.Fstat(h.fd[mount], &st); err != nil {
		m.mismatch("fstat %s: %v", h, err)
	}
	data, err := unix.Seek(h.fd[mount], off, unix.SEEK_DATA)
	hole, holeErr := unix.Seek(h.fd[mount], off, unix.SEEK_HOLE)
	if off >= st.Size {
		if err != unix.ENXIO || holeErr != unix.ENXIO {
			m.mismatch("seek beyond the end: data %v, hole %v, want ENXIO", err, holeErr)
		}
		return
	}
	if err == unix.ENXIO {
		data, err = st.Size, nil
	}
	if err != nil || holeErr != nil || data < off || data > st.Size || hole < off || hole > st.Size {
		m.mismatch("seek from %d in %d bytes: data %d %v, hole %d %v", off, st.Size, data, err, hole, holeErr)
		return
	}
	if data > off && hole != off {
		m.mismatch("seek from %d: no data before %d, but the hole begins at %d", off, data, hole)
	}
	m.wantZeros(h, off, data)
}

// wantZeros checks that a range which the mount calls a hole is one of zeros on
// the local side.
func (m *machine) wantZeros(h handle, from, to int64) {
	if h.flags&unix.O_ACCMODE == unix.O_WRONLY {
		return
	}
	buf := make([]byte, to-from)
	n, err := unix.Pread(h.fd[local], buf, from)
	if err != nil || n != len(buf) {
		m.mismatch("reading a hole of %s at %d: %d of %d bytes, %v", h, from, n, len(buf), err)
	}
	if i := bytes.IndexFunc(buf, func(r rune) bool { return r != 0 }); i >= 0 {
		m.mismatch("%s has data at %d, where the mount reports a hole", h, from+int64(i))
	}
}

func (m *machine) fsync() {
	h, ok := m.anyHandle()
	if !ok {
		return
	}
	sync, name := unix.Fsync, "fsync"
	if m.pick("data only", 2) == 1 {
		sync, name = unix.Fdatasync, "fdatasync"
	}
	m.both(fmt.Sprintf("%s %s", name, h), func(side int) outcome { return failed(sync(h.fd[side])) })
}
