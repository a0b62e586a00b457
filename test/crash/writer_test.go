package crash

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// workBriefly lets a new crew work in a plain directory and stops it.
func workBriefly(t *testing.T, dir string) *crew {
	t.Helper()
	team := newCrew(1)
	work := team.start(dir, func(Writer) bool { return true })
	time.Sleep(300 * time.Millisecond)
	if err := errors.Join(work.end(hangLimit), work.err()); err != nil {
		t.Fatal(err)
	}
	return team
}

// What no crash has touched is as the accounts say, as often as one looks.
func TestWritersAgreeWithAnUnbrokenDirectory(t *testing.T) {
	dir := t.TempDir()
	team := workBriefly(t, dir)
	for range 2 {
		if err := check(team.writers, dir); err != nil {
			t.Fatal(err)
		}
	}
}

// Each writer notices that its files are damaged or gone: a check that finds
// nothing would prove nothing.
func TestWritersNoticeDamage(t *testing.T) {
	dir := t.TempDir()
	for _, w := range workBriefly(t, dir).writers {
		root := filepath.Join(dir, w.Name())
		t.Run(w.Name()+" damaged", func(t *testing.T) {
			if err := damage(root); err != nil {
				t.Fatal(err)
			}
			if w.Clone().Check(root) == nil {
				t.Error("damage goes unnoticed")
			}
		})
		t.Run(w.Name()+" gone", func(t *testing.T) {
			if err := os.RemoveAll(root); err != nil {
				t.Fatal(err)
			}
			if err := w.Clone().Check(root); err == nil {
				t.Error("loss goes unnoticed")
			}
		})
	}
}

// damage changes each cell below root and adds a name.
func damage(root string) error {
	t, err := readTree(root)
	if err != nil {
		return err
	}
	for path := range t {
		path = filepath.Join(root, path)
		if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || info.Size() == 0 {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := range b {
			if bytes.HasPrefix(b[i:], []byte(cellMagic)) {
				b[i] ^= 1
			}
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(root, "stranger"), nil, 0o644)
}
