package powercut

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"swarmfs/test/harness"
)

func TestCut(t *testing.T) {
	d := New(4 * PageSize)
	fill := func(b byte) []byte { return bytes.Repeat([]byte{b}, PageSize) }
	put := func(b byte, index int64) {
		t.Helper()
		if _, err := d.WriteAt(fill(b), index*PageSize); err != nil {
			t.Fatal(err)
		}
	}
	put('a', 0)
	put('b', 1)
	d.Flush()
	put('c', 1)
	put('d', 2)

	seen := map[string]bool{}
	path := filepath.Join(t.TempDir(), "image")
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		if err := d.Cut(rng).Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var shown []byte
		for i := range 4 {
			pg := got[i*PageSize : (i+1)*PageSize]
			if !bytes.Equal(pg, fill(pg[0])) {
				t.Fatalf("page %d is torn", i)
			}
			shown = append(shown, pg[0])
		}
		seen[string(shown)] = true
	}
	want := map[string]bool{"ab\x00\x00": true, "ac\x00\x00": true, "abd\x00": true, "acd\x00": true}
	if len(seen) != len(want) {
		t.Errorf("saw %v, want %v", seen, want)
	}
	for s := range seen {
		if !want[s] {
			t.Errorf("saw %q, which no power cut leaves", s)
		}
	}
}

// A file that was fsynced to ext4 on the device survives every cut, one that
// was only written must be missing or empty when the cache is lost: otherwise
// the disk would not test anything.
func TestDevice(t *testing.T) {
	harness.RequireFUSE(t)
	d := New(64 << 20)
	a, err := d.Attach(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Detach(); err != nil {
			t.Error(err)
		}
	}()
	if out, err := exec.Command("mkfs.ext4", "-q", a.Device).CombinedOutput(); err != nil {
		t.Fatalf("mkfs.ext4: %v: %s", err, out)
	}
	dir := t.TempDir()
	if err := MountImage(a.Device, dir); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := Unmount(dir); err != nil {
			t.Error(err)
		}
	}()
	content := bytes.Repeat([]byte("swarmfs "), 1<<16)
	writeFile(t, filepath.Join(dir, "synced"), content, true)
	writeFile(t, filepath.Join(dir, "unsynced"), content, false)

	image, after := filepath.Join(t.TempDir(), "image"), t.TempDir()
	rng := rand.New(rand.NewPCG(1, 1))
	for range 6 {
		if err := d.Cut(rng).Save(image); err != nil {
			t.Fatal(err)
		}
		if err := MountImage(image, after); err != nil {
			t.Fatal(err)
		}
		synced, errSynced := os.ReadFile(filepath.Join(after, "synced"))
		unsynced, _ := os.ReadFile(filepath.Join(after, "unsynced"))
		if err := Unmount(after); err != nil {
			t.Fatal(err)
		}
		if errSynced != nil || !bytes.Equal(synced, content) {
			t.Fatalf("the fsynced file has %d of %d bytes: %v", len(synced), len(content), errSynced)
		}
		if bytes.Equal(unsynced, content) {
			t.Fatal("a file that nobody synced has survived the power cut")
		}
	}
}

func writeFile(t *testing.T, path string, content []byte, sync bool) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close() // an error shows in the content
	if _, err := f.Write(content); err != nil {
		t.Fatal(err)
	}
	if sync {
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
	}
}
