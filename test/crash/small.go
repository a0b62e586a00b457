package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// smallFiles creates many small files and fsyncs each, which acknowledges its
// name too, as on ext4. Old directories are removed so that the store does not
// grow without end.
type smallFiles struct {
	ledger *Ledger
	// acked are the numbers of the acknowledged files of the directories that
	// still stand, tried is the last number tried.
	acked []int
	tried int
}

const (
	smallPerDir  = 64
	smallDirs    = 4
	smallMaxCell = 12 // up to 6 KiB: below, at and above one chunk
)

func newSmallFiles(l *Ledger) Writer { return &smallFiles{ledger: l} }

func (w *smallFiles) Name() string { return "small" }

func (w *smallFiles) Work(ctx context.Context, dir string) error {
	for ctx.Err() == nil {
		w.ledger.Enter(func() { w.tried++ })
		if w.tried%smallPerDir == 0 {
			if err := w.removeOld(dir); err != nil {
				return err
			}
		}
		if err := w.create(dir, w.tried); err != nil {
			return err
		}
		w.ledger.Enter(func() { w.acked = append(w.acked, w.tried) })
	}
	return nil
}

// removeOld removes the directory that is smallDirs older than the current one.
func (w *smallFiles) removeOld(dir string) error {
	old := w.tried/smallPerDir - smallDirs
	w.ledger.Enter(func() {
		w.acked = slices.DeleteFunc(w.acked, func(i int) bool { return i/smallPerDir <= old })
	})
	return os.RemoveAll(filepath.Join(dir, smallDir(old)))
}

func smallDir(n int) string { return fmt.Sprintf("dir-%d", n) }

func smallName(i int) string { return fmt.Sprintf("%s/file-%d", smallDir(i/smallPerDir), i) }

func smallCells(i int) int { return i % (smallMaxCell + 1) } // 0: an empty file

func (w *smallFiles) create(dir string, i int) error {
	path := filepath.Join(dir, smallName(i))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(cells(smallName(i), 0, smallCells(i), uint64(i)))
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (w *smallFiles) Check(dir string) error {
	for _, i := range w.acked {
		_, n, err := readCells(filepath.Join(dir, smallName(i)), smallName(i))
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: %w: %w", smallName(i), errLost, err)
		}
		if err != nil {
			return err
		}
		if n != smallCells(i) {
			return fmt.Errorf("%s has %d cells, want %d: %w", smallName(i), n, smallCells(i), errLost)
		}
	}
	return w.checkLast(dir)
}

// checkLast looks at the file that the crash interrupted. Bytes of it may be
// missing or zero, but there must be none that are not its own.
func (w *smallFiles) checkLast(dir string) error {
	if w.tried == 0 || slices.Contains(w.acked, w.tried) {
		return nil
	}
	name := smallName(w.tried)
	got, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	c := newContent(name)
	c.write(0, smallCells(w.tried), uint64(w.tried))
	return c.check(got)
}

func (w *smallFiles) Clone() Writer {
	c := *w
	c.acked = slices.Clone(w.acked)
	return &c
}
