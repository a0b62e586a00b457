package swarmstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"swarmfs/swarmstore/content"
)

// openPatient opens a store that seals nothing by itself while the test runs.
func openPatient(t *testing.T, dir string) (*Store, *Volume) {
	t.Helper()
	s, err := Open(t.Context(), dir, Options{SealQuiet: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	v, err := s.EnsureVolume(t.Context(), "default", VolumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return s, v
}

func openOrFail(t *testing.T, v *Volume, p string) *File {
	t.Helper()
	f, err := v.Open(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// waitFor waits for what another store of the test, or a background task, does.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not in time", what)
		}
	}
}

func TestSmallFileOfTwoProcessesKeepsTheEditsOfBoth(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	_, mine := openPatient(t, dir)
	_, other := openPatient(t, dir)
	if err := mine.WriteFile(ctx, "/log", []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	a, b := openOrFail(t, mine, "/log"), openOrFail(t, other, "/log")
	if _, err := a.WriteAt(ctx, []byte("A"), 0); err != nil { // held in memory
		t.Fatal(err)
	}
	if _, err := b.WriteAt(ctx, []byte("BBBB"), 10); err != nil {
		t.Fatal(err)
	}
	if err := b.Sync(ctx, true); err != nil {
		t.Fatal(err)
	}
	if err := a.Sync(ctx, true); err != nil {
		t.Fatal(err)
	}
	got, err := mine.ReadFile(ctx, "/log")
	if err != nil || string(got) != "A123456789BBBB" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSmallEditsSurviveAnotherProcessMakingTheFileLong(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	_, mine := openPatient(t, dir)
	_, other := openPatient(t, dir)
	if err := mine.WriteFile(ctx, "/f", []byte("0123456789"), 0o644); err != nil {
		t.Fatal(err)
	}
	a, b := openOrFail(t, mine, "/f"), openOrFail(t, other, "/f")
	if _, err := a.WriteAt(ctx, []byte("A"), 3); err != nil {
		t.Fatal(err)
	}
	want := randomBytes(2 * content.BlockSize)
	if _, err := b.WriteAt(ctx, want, 0); err != nil {
		t.Fatal(err)
	}
	if err := other.Store().Seal(ctx); err != nil {
		t.Fatal(err)
	}
	want[3] = 'A'
	if err := mine.Store().Seal(ctx); err != nil {
		t.Fatal(err)
	}
	got, err := mine.ReadFile(ctx, "/f")
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, equal: %t, %v", len(got), bytes.Equal(got, want), err)
	}
}

func TestPiecesOfDeletedFilesGo(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	_, v := openPatient(t, dir)
	for _, p := range []string{"/closed", "/open"} {
		if err := v.WriteFile(ctx, p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range []string{"/closed", "/open"} {
		f := openOrFail(t, v, p)
		if _, err := f.WriteAt(ctx, randomBytes(3*content.BlockSize), 0); err != nil {
			t.Fatal(err)
		}
		if p == "/closed" {
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := v.Remove(ctx, p); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	v.s.sealer.mu.Lock()
	for i := range v.s.sealer.due {
		v.s.sealer.due[i] = queued{}
	}
	v.s.sealer.mu.Unlock()
	waitFor(t, "removal of pieces", func() bool {
		left, err := filepath.Glob(filepath.Join(dir, "staging", "*", "*"))
		return err == nil && len(left) == 0
	})
}

func TestRemovingAVolumeTwiceCountsOnce(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s, v := openPatient(t, dir)
	data := randomBytes(2 * content.BlockSize)
	if err := v.WriteFile(ctx, "/kept", data, 0o644); err != nil {
		t.Fatal(err)
	}
	doomed, err := s.CreateVolume(ctx, "doomed", VolumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := doomed.WriteFile(ctx, "/copy", data, 0o644); err != nil {
		t.Fatal(err)
	}
	other, _ := openPatient(t, dir)
	done := make(chan error, 2)
	go func() { done <- s.deleteVolume(ctx, doomed.row.ID) }()
	go func() { done <- other.deleteVolume(ctx, doomed.row.ID) }()
	for range 2 {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(3 * janitorInterval) // whoever counts wrong collects the blocks now
	if got, err := v.ReadFile(ctx, "/kept"); err != nil || !bytes.Equal(got, data) {
		t.Errorf("the other volume lost its content: %v", err)
	}
	if r, err := s.Fsck(ctx, FsckOptions{}); err != nil || !r.Clean() {
		t.Errorf("fsck: %v, %v", r, err)
	}
}

func TestSyncsAtTheSameTimeAllPromise(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	for range 5 {
		s, v := openPatient(t, dir)
		if err := v.WriteFile(ctx, "/f", nil, 0o644); err != nil {
			t.Fatal(err)
		}
		f := openOrFail(t, v, "/f")
		data := randomBytes(4 * content.BlockSize)
		if _, err := f.WriteAt(ctx, data, 0); err != nil {
			t.Fatal(err)
		}
		first := make(chan error, 2)
		for range 2 {
			go func() { first <- f.Sync(context.WithoutCancel(ctx), true) }()
		}
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		// One has returned: what it promised is there even if the other never does.
		copied := filepath.Join(t.TempDir(), "copy")
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		if err := <-first; err != nil {
			t.Fatal(err)
		}
		_, saved := openPatient(t, copied)
		if got, err := saved.ReadFile(ctx, "/f"); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%d bytes, equal: %t, %v", len(got), bytes.Equal(got, data), err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUseAfterCloseIsAnError(t *testing.T) {
	dir := t.TempDir()
	s, v := openPatient(t, dir)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := v.Stat(ctx, "/"); err == nil || ctx.Err() != nil {
		t.Errorf("stat: %v", err)
	}
	if err := v.Mkdir(ctx, "/d", 0o755); err == nil || ctx.Err() != nil {
		t.Errorf("mkdir: %v", err)
	}
}
