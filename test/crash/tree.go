package crash

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// treeShaper makes, renames, links and removes directories, symbolic links and
// empty files. Changes of names are ordered: whatever tree is found after a
// crash, it must be the tree as it was after some change, and not before the
// last one that an fsync acknowledged.
type treeShaper struct {
	ledger *Ledger
	// base is the tree at the last acknowledgement, changes what was tried since.
	base    tree
	changes []change
	rng     *rand.Rand
	serial  int
}

// tree maps paths to what they name: a directory, a file with a number of its
// own, by which its hard links are known, or a symbolic link with its target.
type tree map[string]string

// change is one step from a tree to the next.
type change struct {
	op       string // mkdir, create, symlink, link, rename or remove
	from, to string
}

const (
	treeMaxNodes    = 60
	treeMaxUnsynced = 30
	treeDir         = "dir"
	treeFile        = "file "
	treeTarget      = "-> "
	trashSuffix     = ".trash"
)

func newTreeShaper(l *Ledger, seed uint64) Writer {
	return &treeShaper{ledger: l, base: tree{}, rng: rand.New(rand.NewPCG(seed, 0))}
}

func (w *treeShaper) Name() string { return "tree" }

func (w *treeShaper) Work(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	// What a crash may have left there.
	if err := os.RemoveAll(dir + trashSuffix); err != nil {
		return err
	}
	for ctx.Err() == nil {
		now := w.base.after(w.changes)
		c := w.propose(now)
		w.ledger.Enter(func() { w.changes = append(w.changes, c) })
		if err := c.make(dir); err != nil {
			return fmt.Errorf("%v: %w", c, err)
		}
		if len(w.changes) < treeMaxUnsynced && w.rng.IntN(8) != 0 {
			continue
		}
		if err := w.sync(dir, path.Dir(c.to)); err != nil {
			return err
		}
	}
	return nil
}

// sync fsyncs the directory that changed last, which acknowledges what
// happened before as well.
func (w *treeShaper) sync(dir, changed string) error {
	if err := syncPath(filepath.Join(dir, changed)); err != nil {
		return err
	}
	w.ledger.Enter(func() { w.base, w.changes = w.base.after(w.changes), nil })
	return nil
}

// propose picks a change that is possible in t.
func (w *treeShaper) propose(t tree) change {
	w.serial++
	fresh := path.Join(w.pick(t, treeDir), fmt.Sprintf("n%d", w.serial))
	victim := w.pick(t, "")
	if victim == "." {
		return change{op: "mkdir", to: fresh}
	}
	if len(t) > treeMaxNodes {
		return change{op: "remove", to: victim}
	}
	switch w.rng.IntN(8) {
	case 0, 1:
		return change{op: "mkdir", to: fresh}
	case 2:
		return change{op: "create", to: fresh}
	case 3:
		return change{op: "symlink", from: fmt.Sprintf("target-%d", w.serial), to: fresh}
	case 4:
		return change{op: "remove", to: victim}
	case 5:
		if strings.HasPrefix(t[victim], treeFile) {
			return change{op: "link", from: victim, to: fresh}
		}
		return change{op: "mkdir", to: fresh}
	case 6:
		// Over an existing name, when both are files.
		if other := w.pick(t, treeFile); strings.HasPrefix(t[victim], treeFile) && other != victim {
			return change{op: "rename", from: victim, to: other}
		}
		return change{op: "create", to: fresh}
	default:
		if strings.HasPrefix(fresh, victim+"/") { // a directory does not move into itself
			return change{op: "create", to: fresh}
		}
		return change{op: "rename", from: victim, to: fresh}
	}
}

// pick returns a random path of t whose kind begins with kind; "." when there
// is none, and sometimes when a directory is asked for.
func (w *treeShaper) pick(t tree, kind string) string {
	var paths []string
	for p, k := range t {
		if strings.HasPrefix(k, kind) {
			paths = append(paths, p)
		}
	}
	if kind == treeDir {
		paths = append(paths, ".")
	}
	if len(paths) == 0 {
		return "."
	}
	slices.Sort(paths) // the order of a map would defeat the seed
	return paths[w.rng.IntN(len(paths))]
}

// make carries the change out below dir.
func (c change) make(dir string) error {
	to, from := filepath.Join(dir, c.to), filepath.Join(dir, c.from)
	switch c.op {
	case "mkdir":
		return os.Mkdir(to, 0o755)
	case "create":
		f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		return f.Close()
	case "symlink":
		return os.Symlink(c.from, to)
	case "link":
		return os.Link(from, to)
	case "rename":
		return os.Rename(from, to)
	default:
		return removeAtomically(dir, to)
	}
}

// removeAtomically removes a tree in one step, as far as this account is
// concerned: it moves it out of dir first.
func removeAtomically(dir, victim string) error {
	trash := dir + trashSuffix
	if err := os.MkdirAll(trash, 0o755); err != nil {
		return err
	}
	if err := os.Rename(victim, filepath.Join(trash, "victim")); err != nil {
		return err
	}
	return os.RemoveAll(trash)
}

// after returns the tree that changes make of t.
func (t tree) after(changes []change) tree {
	next := maps.Clone(t)
	for _, c := range changes {
		next.apply(c)
	}
	return next
}

func (t tree) apply(c change) {
	switch c.op {
	case "mkdir":
		t[c.to] = treeDir
	case "create":
		t[c.to] = treeFile + c.to // the path of its creation is never given again
	case "symlink":
		t[c.to] = treeTarget + c.from
	case "link":
		t[c.to] = t[c.from]
	case "rename":
		if t[c.from] == t[c.to] && strings.HasPrefix(t[c.from], treeFile) {
			return // rename(2) of a hard link over another link of the same file does nothing
		}
		for p, kind := range maps.Clone(t) {
			if rest, ok := below(p, c.from); ok {
				delete(t, p)
				t[c.to+rest] = kind
			}
		}
	case "remove":
		for p := range t {
			if _, ok := below(p, c.to); ok {
				delete(t, p)
			}
		}
	}
}

// below reports whether p is top or lies below it, and what follows top.
func below(p, top string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(p, top)
	return rest, ok && (rest == "" || rest[0] == '/')
}

// canonical returns t with files numbered such that two trees that look the
// same are equal: each file is known by the first of its paths.
func (t tree) canonical() tree {
	c, first := tree{}, map[string]string{}
	for _, p := range slices.Sorted(maps.Keys(t)) {
		kind := t[p]
		if strings.HasPrefix(kind, treeFile) {
			if first[kind] == "" {
				first[kind] = treeFile + p
			}
			kind = first[kind]
		}
		c[p] = kind
	}
	return c
}

// readTree returns the tree below dir; files are known by their inode numbers.
func readTree(dir string) (tree, error) {
	t := tree{}
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && p == dir {
			return nil // the crash came before the directory was made
		}
		if err != nil || p == dir {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		t[rel], err = kindOf(p, e)
		return err
	})
	return t, err
}

func kindOf(p string, e fs.DirEntry) (string, error) {
	if e.IsDir() {
		return treeDir, nil
	}
	if e.Type()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(p)
		return treeTarget + target, err
	}
	info, err := e.Info()
	if err != nil {
		return "", err
	}
	return fmt.Sprint(treeFile, info.Sys().(*syscall.Stat_t).Ino), nil
}

func (w *treeShaper) Check(dir string) error {
	got, err := readTree(dir)
	if err != nil {
		return err
	}
	found := got.canonical()
	for done := len(w.changes); done >= 0; done-- {
		if t := w.base.after(w.changes[:done]); maps.Equal(t.canonical(), found) {
			w.base, w.changes = t, nil
			return nil
		}
	}
	return fmt.Errorf("the tree is\n%v\nwhich it was after none of %v\nfrom the acknowledged\n%v: %w",
		found, w.changes, w.base.canonical(), errLost)
}

func (w *treeShaper) Clone() Writer {
	c := *w
	c.base, c.changes = maps.Clone(w.base), slices.Clone(w.changes)
	return &c
}
