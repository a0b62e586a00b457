package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// fileWriter changes the content of one file by one step after another.
type fileWriter struct {
	ledger  *Ledger
	kind    string
	step    func(w *fileWriter, f *os.File) error
	content *content
	gen     uint64
	rng     *rand.Rand
	// created is set once an fsync has acknowledged the file's name.
	created bool
}

// newAppender returns a writer of a log: each append is fsynced, or each few.
func newAppender(l *Ledger, seed uint64) Writer {
	return newFileWriter(l, "append", seed, func(w *fileWriter, f *os.File) error {
		const full = 4 << 20
		if w.content.size() > full {
			return w.truncate(f, 0)
		}
		// At the end, wherever the last crash has left that.
		first := int(w.content.size() / CellSize)
		return errors.Join(w.write(f, first, 1+w.rng.IntN(40)), w.syncSometimes(f, 2))
	})
}

// newOverwriter returns a writer that overwrites short runs of cells at random places.
func newOverwriter(l *Ledger, seed uint64) Writer {
	const size = 2 << 20
	return newFileWriter(l, "overwrite", seed, func(w *fileWriter, f *os.File) error {
		return errors.Join(w.write(f, w.rng.IntN(size/CellSize), 1+w.rng.IntN(64)), w.syncSometimes(f, 4))
	})
}

// newLargeWriter returns a writer that rewrites a file of several MiB from its
// beginning and then fsyncs it.
func newLargeWriter(l *Ledger, seed uint64) Writer {
	const run = (1 << 20) / CellSize
	return newFileWriter(l, "large", seed, func(w *fileWriter, f *os.File) error {
		if w.rng.IntN(4) == 0 {
			if err := w.truncate(f, 0); err != nil {
				return err
			}
		}
		for i := range 3 + w.rng.IntN(4) {
			// Odd lengths: the file's end is then in the middle of a page and of a block.
			if err := w.write(f, i*run, run-w.rng.IntN(3)); err != nil {
				return err
			}
		}
		return w.sync(f)
	})
}

// newTruncater returns a writer that mixes truncations to any size and holes with writes.
func newTruncater(l *Ledger, seed uint64) Writer {
	const size = 1 << 20
	return newFileWriter(l, "truncate", seed, func(w *fileWriter, f *os.File) error {
		var err error
		first, n := w.rng.IntN(size/CellSize), 1+w.rng.IntN(200)
		switch w.rng.IntN(4) {
		case 0:
			err = w.truncate(f, w.rng.Int64N(size))
		case 1:
			err = w.punch(f, first, n)
		default:
			err = w.write(f, first, n)
		}
		return errors.Join(err, w.syncSometimes(f, 3))
	})
}

func newFileWriter(l *Ledger, kind string, seed uint64, step func(*fileWriter, *os.File) error) *fileWriter {
	return &fileWriter{
		ledger: l, kind: kind, step: step, content: newContent(kind),
		rng: rand.New(rand.NewPCG(seed, 0)),
	}
}

func (w *fileWriter) Name() string { return w.kind }

func (w *fileWriter) Work(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := w.open(ctx, filepath.Join(dir, w.kind)); err != nil {
			return err
		}
		if w.rng.IntN(8) == 0 {
			rest(ctx)
		}
	}
	return nil
}

// open takes some steps on the open file.
func (w *fileWriter) open(ctx context.Context, path string) error {
	const maxSteps = 30
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	for range 1 + w.rng.IntN(maxSteps) {
		if ctx.Err() != nil {
			break
		}
		if err := w.step(w, f); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return f.Close()
}

// rest leaves the files alone for so long that swarmfs begins to seal them,
// and sometimes comes back while it does.
func rest(ctx context.Context) {
	const aboutToSeal = 400 * time.Millisecond
	select {
	case <-ctx.Done():
	case <-time.After(aboutToSeal):
	}
}

func (w *fileWriter) write(f *os.File, first, n int) error {
	w.gen++
	w.ledger.Enter(func() { w.content.write(first, n, w.gen) })
	off := int64(first) * CellSize
	_, err := f.WriteAt(cells(w.kind, off, n, w.gen), off)
	return err
}

func (w *fileWriter) truncate(f *os.File, size int64) error {
	w.ledger.Enter(func() { w.content.truncate(size) })
	return f.Truncate(size)
}

func (w *fileWriter) punch(f *os.File, first, n int) error {
	w.ledger.Enter(func() { w.content.punch(first, n) })
	return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, int64(first)*CellSize, int64(n)*CellSize)
}

func (w *fileWriter) sync(f *os.File) error {
	if err := f.Sync(); err != nil {
		return err
	}
	w.ledger.Enter(func() {
		w.content.synced()
		w.created = true
	})
	return nil
}

// syncSometimes calls fsync one time in n on average.
func (w *fileWriter) syncSometimes(f *os.File, n int) error {
	if w.rng.IntN(n) != 0 {
		return nil
	}
	return w.sync(f)
}

func (w *fileWriter) Check(dir string) error {
	got, err := os.ReadFile(filepath.Join(dir, w.kind))
	if errors.Is(err, fs.ErrNotExist) {
		if w.created {
			return fmt.Errorf("%s: %w: %w", w.kind, errLost, err)
		}
		tearable := w.content.tearable
		w.content = newContent(w.kind)
		w.content.tearable = tearable
		return nil
	}
	if err != nil {
		return err
	}
	return w.content.check(got)
}

func (w *fileWriter) Clone() Writer {
	c := *w
	c.content = w.content.clone()
	return &c
}

// readCells reads a file whose cells are all of one generation and of the
// given name, and returns that generation. An empty file has generation 0.
func readCells(path, name string) (gen uint64, n int, err error) {
	got, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	if len(got)%CellSize != 0 {
		return 0, 0, fmt.Errorf("%s has %d bytes, which are not whole cells: %w", path, len(got), errForeign)
	}
	for off, cell := range eachCell(got) {
		id, err := parseCell(cell)
		if err != nil {
			return 0, 0, fmt.Errorf("%s at %d shows %s: %w", path, off, describe(cell), errForeign)
		}
		if gen == 0 {
			gen = id.gen
		}
		if want := (cellID{name: name, off: off, gen: gen}); id != want {
			return 0, 0, fmt.Errorf("%s at %d shows %v, want %v: %w", path, off, id, want, errForeign)
		}
	}
	return gen, len(got) / CellSize, nil
}

// eachCell yields the cells of b with their offsets.
func eachCell(b []byte) func(yield func(int64, []byte) bool) {
	return func(yield func(int64, []byte) bool) {
		var off int64
		for cell := range slices.Chunk(b, CellSize) {
			if !yield(off, cell) {
				return
			}
			off += CellSize
		}
	}
}
