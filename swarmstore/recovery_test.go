package swarmstore

import (
	"bytes"
	"crypto/rand"
	"testing"

	"swarmfs/swarmstore/content"
)

// crash ends a store as a kill would: nothing is sealed, committed or removed.
func (s *Store) crash() {
	s.cancel()
	s.background.Wait()
	s.closing.Do(func() {})
	s.db.Abandon()
	_ = s.session.lock.Close()
}

func TestWhatWasSyncedOutlivesACrash(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	open := func() (*Store, *Volume) {
		s, err := Open(ctx, dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.EnsureVolume(ctx, "default", VolumeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return s, v
	}
	s, v := open()
	want := make([]byte, 3*content.BlockSize+77)
	rand.Read(want)
	if err := v.WriteFile(ctx, "/f", want, 0o644); err != nil {
		t.Fatal(err)
	}
	for round := range 8 {
		f, err := v.Open(ctx, "/f")
		if err != nil {
			t.Fatal(err)
		}
		p, off := make([]byte, 5000), int64(round)*250_000
		rand.Read(p)
		if _, err := f.WriteAt(ctx, p, off); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(ctx, true); err != nil {
			t.Fatal(err)
		}
		want = append(want, make([]byte, max(0, int(off)+len(p)-len(want)))...)
		copy(want[off:], p)
		if round%2 == 1 { // and one that is not synced: it may be there or not, but nothing else
			if _, err := f.WriteAt(ctx, want[100:200], 100); err != nil {
				t.Fatal(err)
			}
		}
		s.crash()
		s, v = open()
		got, err := v.ReadFile(ctx, "/f")
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("round %d: %d bytes, %v; equal: %t", round, len(got), err, bytes.Equal(got, want))
		}
	}
	if err := s.Seal(ctx); err != nil {
		t.Fatal(err)
	}
	r, err := s.Fsck(ctx, FsckOptions{})
	if err != nil || len(r.Problems) > 0 {
		t.Errorf("fsck: %v, %v", r.Problems, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
