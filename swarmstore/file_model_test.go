package swarmstore_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"testing"
	"time"

	"pgregory.net/rapid"

	"swarmfs/swarmstore"
	"swarmfs/swarmstore/content"
)

// eventually waits for what another process, or a background task, does within a second or so.
func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("did not happen in time")
		}
	}
}

// fileModel compares a file with a byte slice.
type fileModel struct {
	v    *swarmstore.Volume
	f    *swarmstore.File
	want []byte
}

var edges = []int64{0, 1, 4095, 4096, 4097, content.BlockSize - 1, content.BlockSize, content.BlockSize + 4097, 2*content.BlockSize + 5, 3 * content.BlockSize}

func drawOffset(t *rapid.T, label string) int64 {
	if rapid.Bool().Draw(t, label+" at an edge") {
		return rapid.SampledFrom(edges).Draw(t, label)
	}
	return rapid.Int64Range(0, 3*content.BlockSize).Draw(t, label)
}

func drawBytes(t *rapid.T) []byte {
	n := rapid.SampledFrom([]int{1, 100, 4096, 5000, 70_000, content.BlockSize + 17}).Draw(t, "length")
	return bytes.Repeat([]byte{byte(rapid.IntRange(1, 255).Draw(t, "byte"))}, n)
}

func (m *fileModel) grow(size int64) {
	if size > int64(len(m.want)) {
		m.want = append(m.want, make([]byte, size-int64(len(m.want)))...)
	}
}

func (m *fileModel) Write(t *rapid.T) {
	p, off := drawBytes(t), drawOffset(t, "offset")
	n, err := m.f.WriteAt(t.Context(), p, off)
	if err != nil || n != len(p) {
		t.Fatalf("write: %d, %v", n, err)
	}
	m.grow(off + int64(len(p)))
	copy(m.want[off:], p)
}

func (m *fileModel) Truncate(t *rapid.T) {
	size := drawOffset(t, "size")
	if err := m.f.Truncate(t.Context(), size); err != nil {
		t.Fatal(err)
	}
	m.grow(size)
	m.want = m.want[:size]
}

func (m *fileModel) Punch(t *rapid.T) {
	off, n := drawOffset(t, "offset"), drawOffset(t, "length")+1
	keep := rapid.Bool().Draw(t, "keep size")
	if err := m.f.PunchHole(t.Context(), off, n, keep); err != nil {
		t.Fatal(err)
	}
	if !keep {
		m.grow(off + n)
	}
	if end := min(off+n, int64(len(m.want))); off < end {
		clear(m.want[off:end])
	}
}

func (m *fileModel) Sync(t *rapid.T) {
	if err := m.f.Sync(t.Context(), false); err != nil {
		t.Fatal(err)
	}
}

func (m *fileModel) Seal(t *rapid.T) {
	if err := m.v.Store().Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := m.f.Attr(t.Context())
	if err != nil || !a.Sealed {
		t.Fatalf("not sealed after Seal: %+v, %v", a, err)
	}
	if a.Reference != m.reference(t) {
		t.Fatalf("reference %s of %d bytes is not that of the bytes", a.Reference, len(m.want))
	}
}

func (m *fileModel) reference(t *rapid.T) content.Reference {
	tree, err := content.NewHasher().Split(t.Context(), bytes.NewReader(m.want), discard{})
	if err != nil {
		t.Fatal(err)
	}
	return tree.Root
}

func (m *fileModel) Holes(t *rapid.T) {
	off := drawOffset(t, "offset")
	hole, err := m.f.SeekHole(t.Context(), off)
	data, dataErr := m.f.SeekData(t.Context(), off)
	if off >= int64(len(m.want)) {
		if !errors.Is(err, swarmstore.ErrNoData) || !errors.Is(dataErr, swarmstore.ErrNoData) {
			t.Fatalf("seek beyond the end: %v, %v", err, dataErr)
		}
		return
	}
	if errors.Is(dataErr, swarmstore.ErrNoData) {
		data = int64(len(m.want))
	}
	// What is called a hole must be zeros.
	if err != nil || bytes.ContainsFunc(m.want[off:data], func(r rune) bool { return r != 0 }) {
		t.Fatalf("data before the first data at %d, from %d on (%v)", data, off, err)
	}
	if hole != off && data != off {
		t.Fatalf("%d is neither hole (%d) nor data (%d)", off, hole, data)
	}
}

func (m *fileModel) Check(t *rapid.T) {
	a, err := m.f.Attr(t.Context())
	if err != nil || a.Size != int64(len(m.want)) {
		t.Fatalf("size %d, want %d, %v", a.Size, len(m.want), err)
	}
	got := make([]byte, len(m.want)+1)
	n, err := m.f.ReadAt(t.Context(), got, 0)
	if n != len(m.want) || err != io.EOF {
		t.Fatalf("read %d of %d: %v", n, len(m.want), err)
	}
	for i := range m.want {
		if got[i] != m.want[i] {
			t.Fatalf("byte %d is %d, want %d", i, got[i], m.want[i])
		}
	}
}

func TestFileBehavesLikeBytes(t *testing.T) {
	dir := t.TempDir()
	v := openVolume(t, openStore(t, dir))
	if testing.Short() {
		if err := flag.Set("rapid.checks", "20"); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		p := "/f" + referenceName(n)
		if err := v.WriteFile(t.Context(), p, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := v.Open(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m := &fileModel{v: v, f: f}
		t.Repeat(map[string]func(*rapid.T){
			"write": m.Write, "write again": m.Write, "truncate": m.Truncate, "punch": m.Punch,
			"sync": m.Sync, "seal": m.Seal, "holes": m.Holes, "": m.Check,
		})
	})
}
