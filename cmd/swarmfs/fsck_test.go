package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFsckOfACleanStore(t *testing.T) {
	s := newShell(t)
	s.run("put", s.local("f", strings.Repeat("x", 1<<20)), "/f")
	if got := s.run("fsck"); !strings.Contains(got, ": clean\n") {
		t.Errorf("fsck printed %q", got)
	}
	var report fsckEntry
	if err := json.Unmarshal([]byte(s.run("fsck", "--json", "--path", "/f")), &report); err != nil {
		t.Fatal(err)
	}
	if !report.Clean || report.Bytes != 1<<20 || len(report.Problems) != 0 {
		t.Errorf("fsck reports %+v", report)
	}
	s.fails(exitUsage, "whole store", "fsck", "--repair", "--path", "/f")
	s.fails(fsckOperational, "no such file", "fsck", "--path", "/none")
	other := newShell(t)
	other.fails(fsckOperational, "there is no store", "fsck")
}

func TestFsckNamesDamagedFiles(t *testing.T) {
	s := newShell(t)
	content := strings.Repeat("0123456789abcdef", 1<<15) // one block
	s.run("mkdir", "/dir")
	s.run("put", s.local("damaged", content), "/dir/")
	s.run("put", s.local("sound", content[1:]), "/dir/")
	damageBlocks(t, s.store, len(content))

	stdout, _, status := s.try("fsck")
	if status != fsckErrorsLeft || !strings.Contains(stdout, "/dir/damaged") || strings.Contains(stdout, "/dir/sound") {
		t.Errorf("fsck: exit status %d, %q", status, stdout)
	}
	if _, _, status := s.try("fsck", "--path", "/dir/sound"); status != exitDone {
		t.Errorf("fsck of the sound file: exit status %d", status)
	}
	if _, _, status := s.try("fsck", "--path", "/dir/damaged"); status != fsckErrorsLeft {
		t.Errorf("fsck of the damaged file: exit status %d", status)
	}
}

// damageBlocks changes a byte of every block file of this size.
func damageBlocks(t *testing.T, store string, size int) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(filepath.Join(store, "blocks"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || len(content) != size {
			return err
		}
		found++
		content[size/2] ^= 1
		if err := os.Chmod(path, 0o600); err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o600)
	})
	if err != nil || found == 0 {
		t.Fatalf("damaged %d blocks, %v", found, err)
	}
}

func TestFsckRepairsStrayFiles(t *testing.T) {
	s := newShell(t)
	s.run("put", s.local("f", "x"), "/f")
	stray := filepath.Join(s.store, "blocks", "ab", "ab"+strings.Repeat("0", 62))
	if err := os.MkdirAll(filepath.Dir(stray), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(stray, []byte("stray"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := s.run("fsck"); !strings.Contains(got, "clean, 1 leftover that --repair removes") {
		t.Errorf("fsck printed %q", got)
	}
	stdout, _, status := s.try("fsck", "--repair")
	if status != fsckRepaired || !strings.Contains(stdout, "1 error repaired, 0 left") {
		t.Errorf("fsck --repair: exit status %d, %q", status, stdout)
	}
	if exists(stray) {
		t.Error("the stray file is still there")
	}
	if got := s.run("fsck"); !strings.Contains(got, ": clean\n") {
		t.Errorf("fsck printed %q", got)
	}
}

func TestRepairsNeedTheStoreForThemselves(t *testing.T) {
	s := newMountShell(t)
	s.run("mount", s.point)
	defer s.run("umount", s.point)
	output, status := s.try("fsck", "--repair")
	if status != fsckOperational || !strings.Contains(output, "mount "+s.point) {
		t.Errorf("fsck --repair: exit status %d, %q", status, output)
	}
	s.run("fsck")
}
