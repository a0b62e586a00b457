package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// replacer replaces files as careful programs do: it writes a temporary file
// and renames it over the old one. With durable set it fsyncs the file before
// the rename and the directory after it. Without, as careless programs do, no
// replacement is acknowledged, but the name must still stand for the whole of
// an old or of the new content.
type replacer struct {
	ledger  *Ledger
	durable bool
	targets map[string]generations
	gen     uint64
	rng     *rand.Rand
}

// generations are those that a name may stand for: from the acknowledged one
// (0: the name need not exist) to the last one tried.
type generations struct{ acked, tried uint64 }

const (
	replaceTargets  = 8
	replaceMaxCells = 600 // 300 KiB: some files fit a chunk, some need a block
	temporary       = ".tmp"
)

func newReplacer(l *Ledger, durable bool, seed uint64) Writer {
	return &replacer{
		ledger: l, durable: durable, targets: map[string]generations{},
		rng: rand.New(rand.NewPCG(seed, 0)),
	}
}

func (w *replacer) Name() string {
	if w.durable {
		return "replace"
	}
	return "replace-unsynced"
}

func (w *replacer) Work(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for ctx.Err() == nil {
		name := fmt.Sprintf("target-%d", w.rng.IntN(replaceTargets))
		// The first content of a name is always acknowledged, so that afterwards
		// its absence is a fault.
		if err := w.replace(dir, name, w.durable || w.targets[name].acked == 0); err != nil {
			return err
		}
	}
	return nil
}

func (w *replacer) replace(dir, name string, durable bool) error {
	w.gen++
	gen, path := w.gen, filepath.Join(dir, name)
	if err := w.writeTemporary(path+temporary, name, durable); err != nil {
		return err
	}
	w.enter(name, func(g *generations) { g.tried = gen })
	if err := os.Rename(path+temporary, path); err != nil {
		return err
	}
	if !durable {
		return nil
	}
	if err := syncPath(dir); err != nil {
		return err
	}
	w.enter(name, func(g *generations) { g.acked = gen })
	return nil
}

func (w *replacer) writeTemporary(path, name string, durable bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = f.Write(cells(name, 0, generationCells(w.gen), w.gen))
	if err == nil && durable {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// generationCells is the number of cells of a whole file of a generation.
func generationCells(gen uint64) int {
	return 1 + int(gen*0x9e3779b97f4a7c15>>33%replaceMaxCells)
}

func (w *replacer) enter(name string, fn func(g *generations)) {
	w.ledger.Enter(func() {
		g := w.targets[name]
		fn(&g)
		w.targets[name] = g
	})
}

func (w *replacer) Check(dir string) error {
	for name, g := range w.targets {
		gen, n, err := readCells(filepath.Join(dir, name), name)
		switch {
		case errors.Is(err, fs.ErrNotExist) && g.acked == 0:
			delete(w.targets, name)
			continue
		case err != nil:
			return fmt.Errorf("%s, acknowledged generation %d: %w", name, g.acked, err)
		case gen < g.acked:
			return fmt.Errorf("%s shows generation %d, acknowledged is %d: %w", name, gen, g.acked, errLost)
		case gen > g.tried:
			return fmt.Errorf("%s shows generation %d, the last tried is %d: %w", name, gen, g.tried, errForeign)
		case n != generationCells(gen):
			return fmt.Errorf("%s shows %d cells of generation %d, which had %d: %w", name, n, gen, generationCells(gen), errLost)
		}
		w.targets[name] = generations{acked: gen, tried: gen}
	}
	return w.checkNoOthers(dir)
}

// checkNoOthers finds names that nobody gave and removes temporary files that
// the crash left.
func (w *replacer) checkNoOthers(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && len(w.targets) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), temporary) {
			if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
			continue
		}
		if _, ok := w.targets[e.Name()]; !ok {
			return fmt.Errorf("%s: a name that was never given: %w", e.Name(), errForeign)
		}
	}
	return nil
}

func (w *replacer) Clone() Writer {
	c := *w
	c.targets = maps.Clone(w.targets)
	return &c
}

// syncPath calls fsync on a file or directory.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
