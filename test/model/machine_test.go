package model

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// The sides of a comparison.
const (
	local = iota
	mount
)

var sideNames = [2]string{"local", "mount"}

// maxHandles are open at a time; more would only spread operations thinner.
const maxHandles = 5

// A handle is a file that is open on both sides.
type handle struct {
	fd    [2]int
	flags int
	path  string // it was opened by; for messages
}

// A machine runs operations on both sides and compares what they return. Every
// choice comes from pick, so that a property-based test can shrink it and a
// seed can repeat it.
type machine struct {
	roots   [2]string
	handles []handle
	trace   []string
	pick    func(label string, n int) int
	fail    func(message string)
}

func newMachine(p *pair, pick func(string, int) int, fail func(string)) *machine {
	return &machine{roots: [2]string{p.local, p.mount}, pick: pick, fail: fail}
}

// An outcome is what an operation returned on one side.
type outcome struct {
	err   error
	value string
	data  []byte
}

func (o outcome) String() string {
	return fmt.Sprintf("%v %s %d bytes", o.err, o.value, len(o.data))
}

func failed(err error) outcome { return outcome{err: err} }

// both runs an operation on both sides and compares the outcomes. It reports
// whether the operation succeeded.
func (m *machine) both(label string, run func(side int) outcome) bool {
	m.trace = append(m.trace, label)
	want, got := run(local), run(mount)
	if want.err != got.err { // both are plain errno values
		m.mismatch("%s: local %v, mount %v", label, want, got)
	}
	if want.value != got.value {
		m.mismatch("%s: local %q, mount %q", label, want.value, got.value)
	}
	if !bytes.Equal(want.data, got.data) {
		m.mismatch("%s: %s", label, firstDifference(want.data, got.data))
	}
	return want.err == nil
}

// mismatch ends the run with the operations that led to it.
func (m *machine) mismatch(format string, args ...any) {
	m.fail(fmt.Sprintf(format, args...) + "\nafter:\n  " + strings.Join(m.trace, "\n  "))
}

func firstDifference(want, got []byte) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d bytes on the mount, want %d", len(got), len(want))
	}
	for i := range want {
		if want[i] != got[i] {
			return fmt.Sprintf("byte %d of %d is %#x on the mount, want %#x", i, len(want), got[i], want[i])
		}
	}
	return "equal"
}

func (m *machine) path(side int, path string) string { return filepath.Join(m.roots[side], path) }

// start makes some directories and files for the operations to find.
func (m *machine) start() {
	for _, dir := range []string{"d0", "d1", "d0/d1"} {
		m.both("mkdir "+dir, func(side int) outcome { return failed(unix.Mkdir(m.path(side, dir), 0o755)) })
	}
	for _, path := range []string{"f0", "d0/f1"} {
		flags := unix.O_CREAT | unix.O_RDWR
		m.openBoth("create "+path, path, flags, func(side int) (int, error) {
			return unix.Open(m.path(side, path), flags|unix.O_CLOEXEC, 0o644)
		})
	}
}

// anyPath picks one of a few paths, so that operations meet.
func (m *machine) anyPath() string {
	dirs := []string{"", "", "", "d0/", "d0/", "d1/", "d0/d1/"}
	names := []string{"f0", "f1", "f2", "d0", "d1"}
	return dirs[m.pick("dir", len(dirs))] + names[m.pick("name", len(names))]
}

const (
	pageSize  = 4096
	blockSize = 512 << 10
	maxSize   = 4 * blockSize
)

// offset picks an offset near a boundary: of the page, of the block, or none.
func (m *machine) offset() int64 {
	bases := []int{0, pageSize, blockSize, 2 * blockSize, 3 * blockSize}
	deltas := []int{0, -1, 1, -pageSize, pageSize, m.pick("delta", 10000)}
	base := bases[m.pick("base", len(bases))]
	return int64(max(base+deltas[m.pick("which delta", len(deltas))], 0))
}

// length picks the length of a transfer.
func (m *machine) length() int {
	lengths := []int{1, 10, pageSize - 1, pageSize, pageSize + 1, 64 << 10, blockSize, blockSize + 1, m.pick("bytes", 300000) + 1}
	return lengths[m.pick("length", len(lengths))]
}

// payload makes bytes that occur nowhere else, from the number of the step.
func (m *machine) payload(n int) []byte {
	b := make([]byte, n)
	x := uint32(len(m.trace))*2654435761 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x) | 1 // never a zero, which a hole would be taken for
	}
	return b
}

// anyHandle picks an open file.
func (m *machine) anyHandle() (handle, bool) {
	if len(m.handles) == 0 {
		return handle{}, false
	}
	return m.handles[m.pick("handle", len(m.handles))], true
}

// closeHandle closes the i-th open file.
func (m *machine) closeHandle(i int) {
	h := m.handles[i]
	m.both(fmt.Sprintf("close %s", h), func(side int) outcome { return failed(unix.Close(h.fd[side])) })
	m.handles = append(m.handles[:i], m.handles[i+1:]...)
}

func (m *machine) closeAll() {
	for len(m.handles) > 0 {
		m.closeHandle(len(m.handles) - 1)
	}
}

func (h handle) String() string {
	return fmt.Sprintf("handle %d of %s (%#x)", h.fd[local], h.path, h.flags)
}

// An action is an operation with its parameters still to be picked.
type action struct {
	name   string
	weight int // how often it runs, relative to the others
	run    func(*machine)
}

var actions = concat(namespaceActions, contentActions, attributeActions)

func concat(lists ...[]action) []action {
	var all []action
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// abandon closes what a failed run left open. Nothing is compared any more, so
// errors tell nothing.
func (m *machine) abandon() {
	for _, h := range m.handles {
		for side := range sideNames {
			_ = unix.Close(h.fd[side])
		}
	}
	m.handles = nil
}

// weighted repeats each action as often as its weight says.
func weighted(list []action) []action {
	var deck []action
	for _, a := range list {
		for range a.weight {
			deck = append(deck, a)
		}
	}
	return deck
}
