package posix

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// manyEntries is more than fits in one answer of any file system.
const manyEntries = 3000

// testReaddir checks what readdir(3) promises while a directory changes: every
// entry that was there all the time is listed exactly once.
func testReaddir(s *suite, t *testing.T) {
	t.Run("all entries", func(t *testing.T) { checkReadAll(s.fixture(t)) })
	t.Run("types and inodes", func(t *testing.T) { checkDirentTypes(s.fixture(t)) })
	t.Run("removing while reading", func(t *testing.T) { checkReadRemoving(s.fixture(t)) })
	t.Run("adding while reading", func(t *testing.T) { checkReadAdding(s.fixture(t)) })
	t.Run("going back", func(t *testing.T) { checkSeekDir(s.fixture(t)) })
}

// A dirent is an entry as getdents64(2) returns it.
type dirent struct {
	ino  uint64
	off  int64 // where the next entry begins
	typ  byte
	name string
}

// getdents reads some entries. The buffer is small, so that a directory takes
// many calls.
func getdents(f *fixture, fd int) []dirent {
	f.t.Helper()
	buf := make([]byte, 2000)
	n, err := unix.Getdents(fd, buf)
	if err != nil {
		f.t.Fatalf("getdents: %v", err)
	}
	return parseDirents(buf[:n])
}

// openDir opens the directory that the test fills, in this process.
func (f *fixture) openDir() int {
	f.t.Helper()
	fd, err := unix.Open(filepath.Join(f.dir, "d"), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() {
		if err := unix.Close(fd); err != nil {
			f.t.Error(err)
		}
	})
	return fd
}

func entryName(i int) string { return fmt.Sprintf("entry-%04d", i) }

func (f *fixture) fill(from, to int) {
	f.t.Helper()
	for i := from; i < to; i++ {
		if err := os.WriteFile(filepath.Join(f.dir, "d", entryName(i)), nil, 0o644); err != nil {
			f.t.Fatal(err)
		}
	}
}

// wantOnce expects the entries of a range to be listed once each.
func wantOnce(f *fixture, listed []string, from, to int) {
	f.t.Helper()
	count := map[string]int{}
	for _, name := range listed {
		count[name]++
	}
	for i := from; i < to; i++ {
		equal(f, "times that "+entryName(i)+" is listed", count[entryName(i)], 1)
	}
}

func readAllNames(f *fixture, fd int) []string {
	f.t.Helper()
	var names []string
	for {
		entries := getdents(f, fd)
		if len(entries) == 0 {
			return names
		}
		for _, e := range entries {
			names = append(names, e.name)
		}
	}
}

func checkReadAll(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	f.fill(0, manyEntries)
	fd := f.openDir()
	names := readAllNames(f, fd)
	equal(f, "number of entries with . and ..", len(names), manyEntries+2)
	wantOnce(f, names, 0, manyEntries)
	equal(f, "entries at the end", len(getdents(f, fd)), 0)
	// Rewinding shows what was added since.
	f.fill(manyEntries, manyEntries+1)
	if _, err := unix.Seek(fd, 0, unix.SEEK_SET); err != nil {
		f.t.Fatal(err)
	}
	wantOnce(f, readAllNames(f, fd), 0, manyEntries+1)
}

func checkDirentTypes(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	for _, typ := range allTypes {
		f.must(typ.make(f.root, "d/"+typ.name))
	}
	fd := f.openDir()
	seen := map[string]dirent{}
	for entries := getdents(f, fd); len(entries) > 0; entries = getdents(f, fd) {
		for _, e := range entries {
			seen[e.name] = e
		}
	}
	for _, typ := range allTypes {
		// d_type holds the type bits of the mode, shifted.
		equal(f, typ.name+": d_type", uint32(seen[typ.name].typ), typ.mode>>12)
		equal(f, typ.name+": d_ino", seen[typ.name].ino, f.lstat("d/"+typ.name).Ino)
	}
	equal(f, ".: d_ino", seen["."].ino, f.lstat("d").Ino)
	equal(f, "..: d_ino", seen[".."].ino, f.lstat(".").Ino)
}

// checkReadRemoving removes each entry as soon as it is listed, as rm -r does.
func checkReadRemoving(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	f.fill(0, manyEntries)
	fd := f.openDir()
	var listed []string
	for entries := getdents(f, fd); len(entries) > 0; entries = getdents(f, fd) {
		for _, e := range entries {
			listed = append(listed, e.name)
			if e.name == "." || e.name == ".." {
				continue
			}
			if err := os.Remove(filepath.Join(f.dir, "d", e.name)); err != nil {
				f.t.Fatal(err)
			}
		}
	}
	wantOnce(f, listed, 0, manyEntries)
	f.want(f.root.rmdir("d"))
}

// checkReadAdding: entries that are added while reading may be listed or not, but
// the others still are, once.
func checkReadAdding(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	f.fill(0, manyEntries/2)
	fd := f.openDir()
	var listed []string
	next := manyEntries / 2
	for entries := getdents(f, fd); len(entries) > 0; entries = getdents(f, fd) {
		for _, e := range entries {
			listed = append(listed, e.name)
		}
		if next < manyEntries {
			f.fill(next, next+10)
			next += 10
		}
	}
	wantOnce(f, listed, 0, manyEntries/2)
	slices.Sort(listed)
	equal(f, "entries listed twice", len(listed)-len(slices.Compact(listed)), 0)
}

// checkSeekDir: telldir(3) and seekdir(3) return to the same place.
func checkSeekDir(f *fixture) {
	f.must(f.root.mkdir("d", 0o755))
	f.fill(0, 500)
	fd := f.openDir()
	var all []dirent
	for entries := getdents(f, fd); len(entries) > 0; entries = getdents(f, fd) {
		all = append(all, entries...)
	}
	for _, i := range []int{0, 1, 2, 100, 250, 499, len(all) - 2} {
		if _, err := unix.Seek(fd, all[i].off, unix.SEEK_SET); err != nil {
			f.t.Fatal(err)
		}
		entries := getdents(f, fd)
		equal(f, fmt.Sprint("there is an entry after number ", i), len(entries) > 0, true)
		equal(f, fmt.Sprint("entry after number ", i), entries[0].name, all[i+1].name)
	}
}
