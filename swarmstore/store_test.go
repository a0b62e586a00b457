package swarmstore_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"swarmfs/swarmstore"
	"swarmfs/swarmstore/content"
)

func openStore(t testing.TB, dir string) *swarmstore.Store {
	t.Helper()
	s, err := swarmstore.Open(t.Context(), dir, swarmstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func openVolume(t testing.TB, s *swarmstore.Store) *swarmstore.Volume {
	t.Helper()
	v, err := s.EnsureVolume(t.Context(), "default", swarmstore.VolumeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func newVolume(t testing.TB) *swarmstore.Volume {
	t.Helper()
	return openVolume(t, openStore(t, t.TempDir()))
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// discard is a sink that forgets.
type discard struct{}

func (discard) PutBlock(context.Context, content.Reference, []byte) error { return nil }
func (discard) PutChunk(context.Context, content.Chunk) error             { return nil }

func referenceOf(t testing.TB, data []byte) content.Reference {
	t.Helper()
	tree, err := content.NewHasher().Split(t.Context(), bytes.NewReader(data), discard{})
	if err != nil {
		t.Fatal(err)
	}
	return tree.Root
}

func TestPutHasTheReferenceOfItsBytesAndSurvivesReopening(t *testing.T) {
	dir := t.TempDir()
	sizes := []int{0, 1, 4095, 4096, 4097, content.BlockSize - 1, content.BlockSize, content.BlockSize + 1, 3 * content.BlockSize, 70 << 20}
	want := make(map[int][]byte)
	s, err := swarmstore.Open(t.Context(), dir, swarmstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := openVolume(t, s)
	for _, size := range sizes {
		want[size] = random(size)
		a, err := v.Put(t.Context(), name(size), bytes.NewReader(want[size]), 0o640)
		if err != nil {
			t.Fatal(err)
		}
		if a.Reference != referenceOf(t, want[size]) {
			t.Errorf("%d bytes: reference %s", size, a.Reference)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	v = openVolume(t, openStore(t, dir))
	for _, size := range sizes {
		got, err := v.ReadFile(t.Context(), name(size))
		if err != nil || !bytes.Equal(got, want[size]) {
			t.Errorf("%d bytes: read %d, %v", size, len(got), err)
		}
	}
}

func name(size int) string { return "/file-" + string(rune('a'+size%26)) + referenceName(size) }

func referenceName(size int) string {
	var b []byte
	for ; size > 0; size /= 10 {
		b = append(b, byte('0'+size%10))
	}
	return string(b)
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	v := newVolume(t)
	ctx := t.Context()
	c, err := v.NewContent(ctx, bytes.NewReader(random(1<<20)))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	failure := errors.New("changed my mind")
	err = v.Update(ctx, func(tx *swarmstore.Tx) error {
		if err := errors.Join(tx.Mkdir("/d", 0o755), tx.WriteContent("/d/f", c, 0o644)); err != nil {
			return err
		}
		if _, err := tx.Stat("/d/f"); err != nil {
			t.Errorf("a transaction does not see its own changes: %v", err)
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatal(err)
	}
	if _, err := v.Stat(ctx, "/d"); !errors.Is(err, swarmstore.ErrNotExist) {
		t.Errorf("stat after failed update: %v", err)
	}
	err = v.Update(ctx, func(tx *swarmstore.Tx) error {
		return errors.Join(tx.Mkdir("/d", 0o755), tx.WriteContent("/d/f", c, 0o644), tx.Rename("/d/f", "/d/g"), tx.WriteContent("/d/f", c, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"/d/f", "/d/g"} {
		if a, err := v.Stat(ctx, p); err != nil || a.Size != 1<<20 || a.Reference != c.Reference() {
			t.Errorf("%s: %+v, %v", p, a, err)
		}
	}
}

func TestPathsStayInsideTheVolume(t *testing.T) {
	v := newVolume(t)
	ctx := t.Context()
	if err := errors.Join(v.Mkdir(ctx, "/a", 0o755), v.WriteFile(ctx, "/a/f", []byte("x"), 0o644),
		v.Symlink(ctx, "../../../a/f", "/a/up"), v.Symlink(ctx, "/etc/passwd", "/a/out"), v.Symlink(ctx, "loop", "/a/loop")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		err  error
	}{
		{"/../../a/f", nil},
		{"a/../a/./f", nil},
		{"/a/up", nil},
		{"/a/out", swarmstore.ErrNotExist},
		{"/a/loop", swarmstore.ErrLoop},
		{"/a/f/g", swarmstore.ErrNotDir},
		{"/a/none", swarmstore.ErrNotExist},
	} {
		if _, err := v.Stat(ctx, c.path); !errors.Is(err, c.err) {
			t.Errorf("stat %s: %v, want %v", c.path, err, c.err)
		}
	}
}

func TestOneProcessSeesWhatAnotherSealed(t *testing.T) {
	dir := t.TempDir()
	mine, other := openVolume(t, openStore(t, dir)), openVolume(t, openStore(t, dir))
	ctx := t.Context()
	if err := mine.WriteFile(ctx, "/f", random(10), 0o644); err != nil {
		t.Fatal(err)
	}
	reader, err := other.Open(ctx, "/f")
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	want := random(3 << 20)
	writer, err := mine.Open(ctx, "/f")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := writer.WriteAt(ctx, want, 0); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := mine.Store().Seal(ctx); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want)+1)
	eventually(t, func() bool {
		n, err := reader.ReadAt(ctx, got, 0)
		return err == io.EOF && bytes.Equal(got[:n], want)
	})
}

func TestProcessesWritingDifferentRangesKeepBoth(t *testing.T) {
	dir := t.TempDir()
	a, b := openVolume(t, openStore(t, dir)), openVolume(t, openStore(t, dir))
	ctx := t.Context()
	want := random(2 << 20)
	if err := a.WriteFile(ctx, "/f", want, 0o644); err != nil {
		t.Fatal(err)
	}
	for n, v := range []*swarmstore.Volume{a, b} {
		f, err := v.Open(ctx, "/f")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		mark, off := random(5000), int64(100+n*9000)
		if _, err := f.WriteAt(ctx, mark, off); err != nil {
			t.Fatal(err)
		}
		copy(want[off:], mark)
	}
	for _, v := range []*swarmstore.Volume{a, b} {
		if err := v.Store().Seal(ctx); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []*swarmstore.Volume{a, b} {
		eventually(t, func() bool {
			got, err := v.ReadFile(ctx, "/f")
			return err == nil && bytes.Equal(got, want)
		})
		if st, err := v.Stat(ctx, "/f"); err != nil || st.Reference != referenceOf(t, want) {
			t.Errorf("reference %s, %v", st.Reference, err)
		}
	}
}
