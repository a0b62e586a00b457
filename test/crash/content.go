package crash

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// errLost and errForeign are the two ways in which content can be wrong.
var (
	errLost    = errors.New("acknowledged data is missing")
	errForeign = errors.New("bytes that were never written there")
)

// content is the account of one file's bytes. The first of several
// possibilities is always the acknowledged one, the last what the file shows
// while no crash happens.
type content struct {
	name  string
	sizes []int64
	cells []cellHistory
	// tearable content is copied into mapped memory, of which the kernel may
	// take a page while a cell is being copied.
	tearable bool
}

// cellHistory lists what one cell may show. A nil history means zeros only: a
// hole, or a place past the end of the file.
type cellHistory []version

// version is a state of a cell: the first keep bytes of generation gen, then
// zeros. A cell that a truncation cut has keep below CellSize.
type version struct {
	gen  uint64
	keep int
}

func newContent(name string) *content {
	return &content{name: name, sizes: []int64{0}}
}

func (c *content) clone() *content {
	d := &content{
		name: c.name, sizes: slices.Clone(c.sizes), cells: make([]cellHistory, len(c.cells)),
		tearable: c.tearable,
	}
	for i, h := range c.cells {
		d.cells[i] = slices.Clone(h)
	}
	return d
}

// size is the size of the file while no crash happens.
func (c *content) size() int64 { return c.sizes[len(c.sizes)-1] }

// write enters that n cells from the cell first on are about to be written.
func (c *content) write(first, n int, gen uint64) {
	for len(c.cells) < first+n {
		c.cells = append(c.cells, nil)
	}
	for i := first; i < first+n; i++ {
		c.cells[i] = c.cells[i].with(version{gen: gen, keep: CellSize})
	}
	c.resize(max(c.size(), int64(first+n)*CellSize))
}

// truncate enters that the file is about to get the size n. A write before it
// that is not acknowledged may be lost although the truncation is not, so each
// possibility of a cell that is cut gives one more.
func (c *content) truncate(n int64) {
	for i, h := range c.cells {
		cut := int(max(n-int64(i)*CellSize, 0))
		if cut >= CellSize {
			continue
		}
		for _, v := range h {
			v.keep = min(v.keep, cut)
			c.cells[i] = c.cells[i].with(v)
		}
	}
	c.resize(n)
}

// punch enters that n cells from the cell first on, those below the end of the
// file, are about to become zeros.
func (c *content) punch(first, n int) {
	for i := first; i < min(first+n, len(c.cells)); i++ {
		c.cells[i] = c.cells[i].with(version{})
	}
}

func (c *content) resize(n int64) {
	if n != c.size() {
		c.sizes = append(c.sizes, n)
	}
}

// with returns h with one more possibility.
func (h cellHistory) with(v version) cellHistory {
	if h == nil {
		h = cellHistory{{}}
	}
	if h[len(h)-1] == v {
		return h
	}
	return append(h, v)
}

// synced enters that all changes so far are acknowledged.
func (c *content) synced() {
	c.sizes = append(c.sizes[:0], c.size())
	for i, h := range c.cells {
		if len(h) > 1 {
			c.cells[i] = append(h[:0], h[len(h)-1])
		}
	}
}

// check compares the bytes of a file with the account and narrows the account
// to what was found.
func (c *content) check(got []byte) error {
	size := int64(len(got))
	switch {
	case size < slices.Min(c.sizes):
		return fmt.Errorf("%s has %d bytes, at least %d expected: %w", c.name, size, slices.Min(c.sizes), errLost)
	case size > slices.Max(c.sizes):
		return fmt.Errorf("%s has %d bytes, at most %d expected: %w", c.name, size, slices.Max(c.sizes), errForeign)
	}
	found := &content{name: c.name, sizes: []int64{size}, tearable: c.tearable}
	for i := 0; len(got) > 0; i++ {
		cell := got[:min(CellSize, len(got))]
		got = got[len(cell):]
		var h cellHistory
		if i < len(c.cells) {
			h = c.cells[i]
		}
		v, err := h.match(c.name, int64(i)*CellSize, cell)
		if err != nil && c.tearable && h.mixes(c.name, int64(i)*CellSize, cell) {
			found.cells = append(found.cells, h) // not narrowed: no single version fits
			continue
		}
		if err != nil {
			return err
		}
		// What a truncation cut off does not come back: past the end are zeros.
		v.keep = min(v.keep, len(cell))
		found.cells = append(found.cells, cellHistory{v})
	}
	*c = *found
	return nil
}

// match finds the version that the bytes of the cell at off show.
func (h cellHistory) match(name string, off int64, got []byte) (version, error) {
	if h == nil {
		h = cellHistory{{}}
	}
	// Backwards, because the newest is the most likely.
	for _, v := range slices.Backward(h) {
		if bytes.Equal(got, v.bytes(name, off)[:len(got)]) {
			return v, nil
		}
	}
	kind := errForeign
	if id, err := parseCell(got); bytes.Equal(got, zeroCell[:len(got)]) || err == nil && id.name == name && id.off == off {
		kind = errLost // an older generation
	}
	return version{}, fmt.Errorf("%s at %d shows %s, expected one of %v: %w", name, off, describe(got), h, kind)
}

// mixes reports whether each byte of the cell at off is that of some version.
func (h cellHistory) mixes(name string, off int64, got []byte) bool {
	fits := make([]bool, len(got))
	for _, v := range h {
		want := v.bytes(name, off)
		for i := range got {
			fits[i] = fits[i] || got[i] == want[i]
		}
	}
	return !slices.Contains(fits, false)
}

// bytes returns what the cell at off shows in this version.
func (v version) bytes(name string, off int64) []byte {
	b := make([]byte, CellSize)
	if v.keep > 0 {
		putCell(b, name, off, v.gen)
		clear(b[v.keep:])
	}
	return b
}
