package swarmstore_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"swarmfs/swarmstore"
	"swarmfs/swarmstore/content"
)

func fsck(t *testing.T, s *swarmstore.Store, o swarmstore.FsckOptions) *swarmstore.FsckReport {
	t.Helper()
	r, err := s.Fsck(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// blockFiles returns the files of all blocks of a store.
func blockFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(dir, "blocks"), func(p string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestFsckNamesTheFilesWhoseBlocksAreDamaged(t *testing.T) {
	for name, damage := range map[string]func(file string) error{
		"flipped bit": func(file string) error {
			data, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			data[len(data)/2] ^= 1
			return os.WriteFile(file, data, 0o600)
		},
		"cut short": func(file string) error { return os.Truncate(file, 5000) },
		"gone":      os.Remove,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			s := openStore(t, dir)
			v := openVolume(t, s)
			for _, p := range []string{"/good", "/small"} {
				if err := v.WriteFile(t.Context(), p, random(100), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := v.WriteFile(t.Context(), "/bad", random(3*content.BlockSize), 0o644); err != nil {
				t.Fatal(err)
			}
			if r := fsck(t, s, swarmstore.FsckOptions{}); len(r.Problems) > 0 {
				t.Fatalf("a sound store has problems: %v", r.Problems)
			}
			files := blockFiles(t, dir)
			if len(files) != 3 {
				t.Fatalf("%d block files", len(files))
			}
			if err := damage(files[1]); err != nil {
				t.Fatal(err)
			}
			for _, o := range []swarmstore.FsckOptions{{}, {Repair: true}, {Volume: "default", Path: "/bad"}} {
				r := fsck(t, s, o)
				if r.Clean() || len(r.Problems) != 1 || r.Problems[0].Path != "/bad" || !strings.Contains(r.Problems[0].What, filepath.Base(files[1])) {
					t.Errorf("%+v: %v", o, r.Problems)
				}
			}
			if r := fsck(t, s, swarmstore.FsckOptions{Volume: "default", Path: "/good"}); len(r.Problems) > 0 {
				t.Errorf("a good path has problems: %v", r.Problems)
			}
		})
	}
}

func TestFsckRemovesFilesThatNothingAccountsFor(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	v := openVolume(t, s)
	data := random(content.BlockSize)
	c, err := v.NewContent(t.Context(), bytes.NewReader(data)) // never given to a file
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	if r := fsck(t, s, swarmstore.FsckOptions{Repair: true}); len(r.Problems) != 1 || !r.Clean() {
		t.Errorf("problems: %v", r.Problems)
	}
	if files := blockFiles(t, dir); len(files) > 0 {
		t.Errorf("left: %v", files)
	}
}

func TestDeletedContentIsCollected(t *testing.T) {
	dir := t.TempDir()
	s := openStore(t, dir)
	v := openVolume(t, s)
	ctx := t.Context()
	shared := random(2 * content.BlockSize)
	for _, p := range []string{"/a", "/b"} {
		if err := v.WriteFile(ctx, p, append(shared, p...), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := v.Remove(ctx, "/a"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return len(blockFiles(t, dir)) == 2 })
	if got, err := v.ReadFile(ctx, "/b"); err != nil || !bytes.Equal(got, append(shared, "/b"...)) {
		t.Fatalf("the other file lost its blocks: %v", err)
	}
	if err := v.Remove(ctx, "/b"); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return len(blockFiles(t, dir)) == 0 })
	if r := fsck(t, s, swarmstore.FsckOptions{}); len(r.Problems) > 0 {
		t.Errorf("problems: %v", r.Problems)
	}
}
