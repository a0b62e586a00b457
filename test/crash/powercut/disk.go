// Package powercut is a disk whose power can be cut: a block device with a
// volatile write cache, for tests.
//
// The device is a loop device over a file that this process serves through
// FUSE, so every write and every cache flush of the file system on it passes
// through here. [Disk.Cut] returns what a disk would hold had its power failed
// at that moment: everything written before the last flush, and any of the
// later writes, each page by itself, in any combination. A page is written
// wholly or not at all, as on a disk with 4 KiB sectors.
//
// The content is in memory. The process that serves the disk must not die
// before the file systems on it are unmounted.
package powercut

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
)

// PageSize is the unit in which writes survive a power cut.
const PageSize = 4096

type page [PageSize]byte

// Disk is the content of a disk and of its write cache.
type Disk struct {
	mu sync.Mutex
	// current is what reads show, durable what was flushed; nil is a page of
	// zeros. Pages are never changed in place, so that copying a slice of
	// pointers is a snapshot.
	current, durable []*page
	cache            []write // since the last flush, oldest first
}

// write is a page in the write cache.
type write struct {
	index int
	page  *page
}

// New returns a disk of zeros. The size is a multiple of PageSize.
func New(size int64) *Disk {
	n := size / PageSize
	return &Disk{current: make([]*page, n), durable: make([]*page, n)}
}

// Size returns the size of the disk in bytes.
func (d *Disk) Size() int64 { return int64(len(d.current)) * PageSize }

// ReadAt reads what was last written.
func (d *Disk) ReadAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off >= d.Size() {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && off+int64(n) < d.Size() {
		at := off + int64(n)
		chunk := p[n:min(len(p), n+int(PageSize-at%PageSize))]
		if pg := d.current[at/PageSize]; pg != nil {
			copy(chunk, pg[at%PageSize:])
		} else {
			clear(chunk)
		}
		n += len(chunk)
	}
	return n, nil
}

// WriteAt writes to the cache.
func (d *Disk) WriteAt(p []byte, off int64) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off < 0 || off+int64(len(p)) > d.Size() {
		return 0, fmt.Errorf("write of %d bytes at %d of a disk of %d: %w", len(p), off, d.Size(), io.ErrShortWrite)
	}
	for n := 0; n < len(p); {
		at := off + int64(n)
		i := int(at / PageSize)
		next := new(page)
		if d.current[i] != nil {
			*next = *d.current[i]
		}
		n += copy(next[at%PageSize:], p[n:])
		d.current[i] = next
		d.cache = append(d.cache, write{i, next})
	}
	return len(p), nil
}

// Flush makes all writes so far durable.
func (d *Disk) Flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.cache {
		d.durable[w.index] = w.page
	}
	d.cache = nil
}

// Image is the content of a disk after a power cut.
type Image struct{ pages []*page }

// Cut returns what the disk holds if its power fails now. The rng decides
// which writes leave the cache in time; the disk itself goes on.
func (d *Disk) Cut(rng *rand.Rand) *Image {
	d.mu.Lock()
	defer d.mu.Unlock()
	img := &Image{pages: slices.Clone(d.durable)}
	// Nothing, about half, or everything of the cache: each finds other faults.
	share := []float64{0, 0.5, 1}[rng.IntN(3)]
	for _, w := range d.cache {
		if rng.Float64() < share {
			img.pages[w.index] = w.page
		}
	}
	return img
}

// Save writes the image to a sparse file.
func (img *Image) Save(path string) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if e := f.Close(); err == nil {
			err = e
		}
	}()
	if err := f.Truncate(int64(len(img.pages)) * PageSize); err != nil {
		return err
	}
	for i, pg := range img.pages {
		if pg == nil {
			continue
		}
		if _, err := f.WriteAt(pg[:], int64(i)*PageSize); err != nil {
			return err
		}
	}
	return nil
}
