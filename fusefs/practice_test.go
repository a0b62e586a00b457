package fusefs

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"swarmfs/test/harness"

	"golang.org/x/sys/unix"
)

// practices are what programs do to files, named after the programs. Each gets an empty directory.
var practices = map[string]func(t *testing.T, dir string){
	"VimSavePattern":    vimSavePattern,
	"RsyncPattern":      rsyncPattern,
	"GitLooseObject":    gitLooseObject,
	"GitRepository":     gitRepository,
	"SQLite":            sqlite,
	"LockFile":          lockFile,
	"LogAppend":         logAppend,
	"TarExtract":        tarExtract,
	"BuildAndRun":       buildAndRun,
	"ParallelAppenders": parallelAppenders,
	"MailSpool":         mailSpool,
	"DatabasePrealloc":  databasePreallocation,
}

func TestPractices(t *testing.T) {
	for name, r := range map[string]mountRequest{
		"Writeback":    {},
		"Writethrough": {NoWriteback: true},
	} {
		t.Run(name, func(t *testing.T) {
			r.Store = t.TempDir()
			mnt := mountWith(t, r)
			for name, practice := range practices {
				t.Run(name, func(t *testing.T) { practice(t, subdir(t, mnt, name)) })
			}
		})
	}
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func wantContent(t testing.TB, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s: got %.80q (%d bytes), want %.80q (%d bytes)", filepath.Base(path), got, len(got), want, len(want))
	}
}

func run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	harness.RequireProgram(t, name, name)
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// vimSavePattern moves the old file aside, writes the new one under its name, syncs, and removes the old one.
func vimSavePattern(t *testing.T, dir string) {
	file := dir + "/notes.txt"
	write(t, file, "first")
	if err := os.Rename(file, file+"~"); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("second"); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	wantContent(t, file+"~", "first")
	if err := os.Remove(file + "~"); err != nil {
		t.Fatal(err)
	}
	wantContent(t, file, "second")
}

// rsyncPattern writes a hidden temporary file, gives it mode and time, and renames it over the old one.
func rsyncPattern(t *testing.T, dir string) {
	write(t, dir+"/data.bin", "old")
	f, err := os.CreateTemp(dir, ".data.bin.*")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("new"); err != nil {
		t.Fatal(err)
	}
	if err := f.Chmod(0o640); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	when := []unix.Timespec{{Sec: 1e9, Nsec: 123456789}, {Sec: 1e9 + 1, Nsec: 987654321}}
	if err := unix.UtimesNanoAt(unix.AT_FDCWD, f.Name(), when, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(f.Name(), dir+"/data.bin"); err != nil {
		t.Fatal(err)
	}
	wantContent(t, dir+"/data.bin", "new")
	if st := stat(t, dir+"/data.bin"); st.Mode&0o7777 != 0o640 || st.Mtim != when[1] {
		t.Errorf("got mode %o mtime %v, want 640 %v", st.Mode&0o7777, st.Mtim, when[1])
	}
}

// gitLooseObject writes a read-only temporary file, links it to its final name and removes the temporary one.
func gitLooseObject(t *testing.T, dir string) {
	temp, object := dir+"/tmp_obj_x", dir+"/e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("object"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(temp, object); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(temp, object); !errors.Is(err, os.ErrExist) {
		t.Errorf("second link: got %v, want %v", err, os.ErrExist)
	}
	if err := os.Remove(temp); err != nil {
		t.Fatal(err)
	}
	wantContent(t, object, "object")
	if st := stat(t, object); st.Nlink != 1 {
		t.Errorf("got %d links, want 1", st.Nlink)
	}
}

func gitRepository(t *testing.T, dir string) {
	run(t, dir, "git", "init", "-q")
	for i := range 20 {
		write(t, fmt.Sprintf("%s/file%d", dir, i), strings.Repeat("line\n", i*100))
	}
	run(t, dir, "git", "add", ".")
	run(t, dir, "git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "one")
	run(t, dir, "git", "gc", "-q")
	run(t, dir, "git", "fsck", "--strict")
	if out := run(t, dir, "git", "status", "--porcelain"); out != "" {
		t.Errorf("git status: %s", out)
	}
}

// sqlite runs a database in both journal modes; WAL maps a shared index file.
func sqlite(t *testing.T, dir string) {
	for _, mode := range []string{"delete", "wal"} {
		db := dir + "/" + mode + ".db"
		run(t, dir, "sqlite3", db, "pragma journal_mode="+mode+"; create table t(x);"+
			"with recursive n(i) as (select 1 union all select i+1 from n where i<5000) insert into t select i from n;")
		if out := run(t, dir, "sqlite3", db, "select sum(x) from t; pragma integrity_check;"); out != "12502500\nok\n" {
			t.Errorf("%s: got %q", mode, out)
		}
	}
}

// lockFile takes a lock that a second holder does not get, by flock and by fcntl.
func lockFile(t *testing.T, dir string) {
	open := func() *os.File {
		f, err := os.OpenFile(dir+"/lock", os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	a, b := open(), open()
	if err := unix.Flock(int(a.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(b.Fd()), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(err, unix.EWOULDBLOCK) {
		t.Errorf("flock: got %v, want %v", err, unix.EWOULDBLOCK)
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(a.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	if err := unix.FcntlFlock(b.Fd(), unix.F_OFD_SETLK, &lock); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("fcntl: got %v, want %v", err, unix.EAGAIN)
	}
}

// logAppend follows a growing file while it is written, and rotates it by truncation.
func logAppend(t *testing.T, dir string) {
	w, err := os.OpenFile(dir+"/log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r, err := os.Open(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i := range 100 {
		line := fmt.Sprintf("line %d\n", i)
		if _, err := w.WriteString(line); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || string(got) != line {
			t.Fatalf("got %q, %v, want %q", got, err, line)
		}
	}
	if err := os.Truncate(dir+"/log", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("fresh"); err != nil {
		t.Fatal(err)
	}
	wantContent(t, dir+"/log", "fresh")
}

// tarExtract unpacks and packs again, with modes, links and times.
func tarExtract(t *testing.T, dir string) {
	src := t.TempDir()
	for _, d := range []string{"a", "a/b", "c"} {
		if err := os.Mkdir(filepath.Join(src, d), 0o750); err != nil {
			t.Fatal(err)
		}
	}
	write(t, src+"/a/b/file", strings.Repeat("content", 10000))
	if err := os.Symlink("b/file", src+"/a/link"); err != nil {
		t.Fatal(err)
	}
	if err := os.Link(src+"/a/b/file", src+"/c/hard"); err != nil {
		t.Fatal(err)
	}
	archive := src + ".tar"
	t.Cleanup(func() { os.Remove(archive) })
	run(t, src, "tar", "cf", archive, ".")
	run(t, dir, "tar", "xpf", archive)
	run(t, dir, "tar", "--compare", "-f", archive)
	if a, b := stat(t, dir+"/a/b/file"), stat(t, dir+"/c/hard"); a.Ino != b.Ino || a.Nlink != 2 {
		t.Errorf("hard link: inodes %d and %d, %d links", a.Ino, b.Ino, a.Nlink)
	}
}

// buildAndRun writes a program and executes it, which maps it.
func buildAndRun(t *testing.T, dir string) {
	script := dir + "/hello"
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho hello\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out := run(t, dir, script); out != "hello\n" {
		t.Errorf("script: got %q", out)
	}
	binary, err := os.ReadFile("/bin/true")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/true", binary, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, dir, dir+"/true")
}

// parallelAppenders have each line whole and none lost, as O_APPEND promises.
func parallelAppenders(t *testing.T, dir string) {
	const writers, lines = 4, 200
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			f, err := os.OpenFile(dir+"/log", os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			for range lines {
				if _, err := f.WriteString(strings.Repeat(string(rune('a'+i)), 99) + "\n"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	content, err := os.ReadFile(dir + "/log")
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(content, []byte("\n")); got != writers*lines || len(content) != 100*got {
		t.Errorf("got %d lines in %d bytes, want %d in %d", got, len(content), writers*lines, 100*writers*lines)
	}
	for line := range bytes.Lines(content) {
		if bytes.Count(line, line[:1]) != 99 {
			t.Fatalf("mixed line %q", line)
		}
	}
}

// mailSpool delivers into tmp and renames to new without overwriting.
func mailSpool(t *testing.T, dir string) {
	for _, d := range []string{"tmp", "new", "cur"} {
		subdir(t, dir, d)
	}
	for i := range 50 {
		name := fmt.Sprintf("msg%d", i)
		write(t, dir+"/tmp/"+name, name)
		if err := unix.Renameat2(unix.AT_FDCWD, dir+"/tmp/"+name, unix.AT_FDCWD, dir+"/new/"+name, unix.RENAME_NOREPLACE); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(dir + "/new")
	if err != nil || len(entries) != 50 {
		t.Errorf("got %d messages, %v", len(entries), err)
	}
}

// databasePreallocation reserves space, writes into the middle, and reads zeros around it.
func databasePreallocation(t *testing.T, dir string) {
	f, err := os.Create(dir + "/data")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const size = 4 << 20
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("page"), size/2); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fdatasync(int(f.Fd())); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(dir + "/data")
	if err != nil {
		t.Fatal(err)
	}
	want := make([]byte, size)
	copy(want[size/2:], "page")
	if !bytes.Equal(got, want) {
		t.Errorf("got %d bytes that differ", len(got))
	}
}
