package fusefs

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

// dirent is what getdents64 returns.
type dirent struct {
	name   string
	offset int64
}

// getdents reads the rest of a directory stream, in small pieces.
func getdents(t testing.TB, fd int) []dirent {
	t.Helper()
	var all []dirent
	for {
		buf := make([]byte, 512)
		n, err := unix.Getdents(fd, buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return all
		}
		all = append(all, parseDirents(buf[:n])...)
	}
}

func parseDirents(buf []byte) []dirent {
	var list []dirent
	for len(buf) > 0 {
		length := int(buf[16]) | int(buf[17])<<8
		offset := int64(0)
		for i := range 8 {
			offset |= int64(buf[8+i]) << (8 * i)
		}
		name := buf[19:length]
		list = append(list, dirent{string(name[:slices.Index(name, 0)]), offset})
		buf = buf[length:]
	}
	return list
}

func names(list []dirent) []string {
	var all []string
	for _, e := range list {
		all = append(all, e.name)
	}
	return all
}

func manyFiles(t testing.TB, dir string, n int) {
	t.Helper()
	for i := range n {
		write(t, fmt.Sprintf("%s/file%04d", dir, i), "")
	}
}

func TestSeekdirWhileTheDirectoryChanges(t *testing.T) {
	dir := newMount(t)
	manyFiles(t, dir, 200)
	d := open(t, dir, os.O_RDONLY, 0)
	fd := int(d.Fd())
	first := getdents(t, fd)
	if got := names(first); got[0] != "." || got[1] != ".." || len(got) != 202 {
		t.Fatalf("got %d entries beginning with %q", len(got), got[:2])
	}

	// Around the position: one entry goes, one comes before it, one after it.
	at := first[100]
	for _, name := range []string{first[100].name, first[102].name} {
		if err := os.Remove(dir + "/" + name); err != nil {
			t.Fatal(err)
		}
	}
	write(t, dir+"/file0000a", "")
	write(t, dir+"/file0100a", "")
	if _, err := unix.Seek(fd, at.offset, 0); err != nil {
		t.Fatal(err)
	}
	want := names(first[101:])
	want = slices.DeleteFunc(want, func(n string) bool { return n == first[102].name })
	want = append(want, "file0100a")
	slices.Sort(want)
	if got := names(getdents(t, fd)); !slices.Equal(got, want) {
		t.Errorf("after seekdir: got %d entries %.60q, want %d %.60q", len(got), got, len(want), want)
	}

	if _, err := unix.Seek(fd, 0, 0); err != nil {
		t.Fatal(err)
	}
	got := names(getdents(t, fd))
	if len(got) != 202 || !slices.Contains(got, "file0000a") || slices.Contains(got, at.name) {
		t.Errorf("after rewinddir: got %d entries", len(got))
	}
}

// TestRemoveWhileReading is what rm -r does.
func TestRemoveWhileReading(t *testing.T) {
	dir := newMount(t)
	manyFiles(t, dir, 500)
	d := open(t, dir, os.O_RDONLY, 0)
	for {
		buf := make([]byte, 1024)
		n, err := unix.Getdents(int(d.Fd()), buf)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			break
		}
		for _, e := range parseDirents(buf[:n]) {
			if e.name != "." && e.name != ".." {
				if err := os.Remove(dir + "/" + e.name); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

// TestListingShowsCurrentAttributes changes an entry after the listing has begun.
func TestListingShowsCurrentAttributes(t *testing.T) {
	dir := newMount(t)
	manyFiles(t, dir, 300)
	d := open(t, dir, os.O_RDONLY, 0)
	if _, err := d.ReadDir(1); err != nil {
		t.Fatal(err)
	}
	last := dir + "/file0299"
	if err := os.Chmod(last, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadDir(-1); err != nil {
		t.Fatal(err)
	}
	if st := stat(t, last); st.Mode&0o777 != 0o600 {
		t.Errorf("got mode %o, want 600", st.Mode&0o777)
	}
}

func TestDotDotOfMountedDirectories(t *testing.T) {
	mnt := newMount(t)
	d := open(t, subdir(t, subdir(t, mnt, "a"), "b"), os.O_RDONLY, 0)
	buf := make([]byte, 1024)
	n, err := unix.Getdents(int(d.Fd()), buf)
	if err != nil {
		t.Fatal(err)
	}
	if got := names(parseDirents(buf[:n])); !slices.Equal(got, []string{".", ".."}) {
		t.Errorf("got %q", got)
	}
	if got, want := stat(t, mnt+"/a/b/..").Ino, stat(t, mnt+"/a").Ino; got != want {
		t.Errorf("a/b/..: got inode %d, want %d", got, want)
	}
}

// TestCookies compares with the definition: a position is the name it lies after.
func TestCookies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c cookies
		meaning := map[uint64]string{0: "", 1: "", 2: ""}
		entry := rapid.StringMatching("[abc]{1,2}")
		t.Repeat(map[string]func(*rapid.T){
			"after": func(t *rapid.T) {
				at := rapid.SampledFrom(sortedKeys(meaning)).Draw(t, "at")
				name := entry.Draw(t, "name")
				next, ok := c.after(at, name)
				if !ok || next <= dots {
					t.Fatalf("after(%d, %q) = %d, %t", at, name, next, ok)
				}
				if old, given := meaning[next]; given && old != name {
					t.Fatalf("position %d meant %q and now %q", next, old, name)
				}
				meaning[next] = name
			},
			"reset": func(*rapid.T) {
				c.reset()
				meaning = map[uint64]string{0: "", 1: "", 2: ""}
			},
			"": func(t *rapid.T) {
				for at, want := range meaning {
					if got, ok := c.name(at); !ok || got != want {
						t.Fatalf("name(%d) = %q, %t, want %q", at, got, ok, want)
					}
				}
				if _, ok := c.name(uint64(len(c.ends)) + dots + 1); ok {
					t.Fatal("a position that was never given has a name")
				}
			},
		})
	})
}

func sortedKeys(m map[uint64]string) []uint64 {
	var keys []uint64
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestCookiesAreStable reads an unchanged directory twice.
func TestCookiesAreStable(t *testing.T) {
	var c cookies
	read := func() (positions []uint64) {
		at := uint64(dots)
		for _, name := range []string{"a", "b", "c"} {
			at, _ = c.after(at, name)
			positions = append(positions, at)
		}
		return positions
	}
	if first, second := read(), read(); !slices.Equal(first, second) {
		t.Errorf("got %v, then %v", first, second)
	}
}
