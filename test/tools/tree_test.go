package tools

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// sameTree requires that two trees have the same names, types, modes, times of
// files, link targets and bytes.
func sameTree(t *testing.T, want, got string) {
	t.Helper()
	names := func(root string) (all []string) {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			all = append(all, rel)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	wanted, found := names(want), names(got)
	if len(wanted) != len(found) {
		t.Fatalf("%s has %d names, %s has %d", want, len(wanted), got, len(found))
	}
	for i, name := range wanted {
		if found[i] != name {
			t.Fatalf("%s has %s where %s has %s", got, found[i], want, name)
		}
		if err := sameNode(filepath.Join(want, name), filepath.Join(got, name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func sameNode(want, got string) error {
	w, err := os.Lstat(want)
	if err != nil {
		return err
	}
	g, err := os.Lstat(got)
	if err != nil {
		return err
	}
	if w.Mode() != g.Mode() {
		return fmt.Errorf("mode %v, want %v", g.Mode(), w.Mode())
	}
	switch {
	case w.Mode().IsRegular():
		if !w.ModTime().Equal(g.ModTime()) {
			return fmt.Errorf("mtime %v, want %v", g.ModTime(), w.ModTime())
		}
		return sameBytes(want, got)
	case w.Mode()&fs.ModeSymlink != 0:
		wt, err := os.Readlink(want)
		if err != nil {
			return err
		}
		if gt, err := os.Readlink(got); err != nil || gt != wt {
			return fmt.Errorf("target %q, %v, want %q", gt, err, wt)
		}
	}
	return nil
}

func sameBytes(want, got string) error {
	w, err := os.ReadFile(want)
	if err != nil {
		return err
	}
	g, err := os.ReadFile(got)
	if err != nil {
		return err
	}
	if !bytes.Equal(w, g) {
		return fmt.Errorf("%d bytes that differ from the %d expected", len(g), len(w))
	}
	return nil
}

// goSource returns a real source tree: all or some of Go's.
func goSource(t *testing.T) string {
	t.Helper()
	root := string(bytes.TrimSpace([]byte(run(t, "", "go", "env", "GOROOT"))))
	return filepath.Join(root, "src", scaled("net", ""))
}
