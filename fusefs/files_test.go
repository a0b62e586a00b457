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
	"testing"
	"time"

	"swarmfs/test/harness"

	"golang.org/x/sys/unix"
)

func open(t testing.TB, path string, flags int, mode os.FileMode) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, flags, mode)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func wantErr(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestTmpfileGetsItsNameByLink(t *testing.T) {
	dir := newMount(t)
	f := open(t, dir, unix.O_TMPFILE|os.O_RDWR, 0o640)
	if _, err := f.WriteString("content"); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("before the link: got %v, %v", entries, err)
	}
	proc := fmt.Sprintf("/proc/self/fd/%d", f.Fd())
	if err := unix.Linkat(unix.AT_FDCWD, proc, unix.AT_FDCWD, dir+"/named", unix.AT_SYMLINK_FOLLOW); err != nil {
		t.Fatal(err)
	}
	wantContent(t, dir+"/named", "content")
	if st := stat(t, dir+"/named"); st.Nlink != 1 || st.Mode != unix.S_IFREG|0o640 {
		t.Errorf("got mode %o, %d links", st.Mode, st.Nlink)
	}
}

func TestRenameFlags(t *testing.T) {
	dir := newMount(t)
	rename := func(from, to string, flags uint) error {
		return unix.Renameat2(unix.AT_FDCWD, dir+from, unix.AT_FDCWD, dir+to, flags)
	}
	write(t, dir+"/a", "a")
	write(t, dir+"/b", "b")
	wantErr(t, "no replace", rename("/a", "/b", unix.RENAME_NOREPLACE), unix.EEXIST)
	if err := rename("/a", "/b", unix.RENAME_EXCHANGE); err != nil {
		t.Fatal(err)
	}
	wantContent(t, dir+"/a", "b")
	wantContent(t, dir+"/b", "a")
	wantErr(t, "exchange with nothing", rename("/a", "/c", unix.RENAME_EXCHANGE), unix.ENOENT)

	subdir(t, dir, "d")
	if err := rename("/a", "/d", unix.RENAME_EXCHANGE); err != nil {
		t.Fatal(err)
	}
	if st := stat(t, dir+"/a"); st.Mode&unix.S_IFMT != unix.S_IFDIR {
		t.Errorf("exchange of a file and a directory: got mode %o", st.Mode)
	}
	wantErr(t, "into itself", rename("/a", "/a/b", 0), unix.EINVAL)
}

func TestRenameWhiteout(t *testing.T) {
	harness.RequireRoot(t)
	dir := newMount(t)
	write(t, dir+"/lower", "x")
	if err := unix.Renameat2(unix.AT_FDCWD, dir+"/lower", unix.AT_FDCWD, dir+"/upper", unix.RENAME_WHITEOUT); err != nil {
		t.Fatal(err)
	}
	if st := stat(t, dir+"/lower"); st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != 0 {
		t.Errorf("got mode %o device %d, want a whiteout", st.Mode, st.Rdev)
	}
}

func TestRenameOverOpenFileKeepsItsContent(t *testing.T) {
	dir := newMount(t)
	write(t, dir+"/old", "old")
	write(t, dir+"/new", "new")
	f := open(t, dir+"/old", os.O_RDONLY, 0)
	if err := os.Rename(dir+"/new", dir+"/old"); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(f)
	if err != nil || string(got) != "old" {
		t.Errorf("got %q, %v, want the old content", got, err)
	}
	wantContent(t, dir+"/old", "new")
}

func TestUnlinkedFileLivesWhileOpen(t *testing.T) {
	dir := newMount(t)
	f := open(t, dir+"/file", os.O_RDWR|os.O_CREATE, 0o600)
	if err := os.Remove(f.Name()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("still here"); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(5); err != nil {
		t.Fatal(err)
	}
	if err := f.Chmod(0o640); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 10)
	if n, _ := f.ReadAt(got, 0); string(got[:n]) != "still" {
		t.Errorf("got %q, want %q", got[:n], "still")
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Nlink != 0 || st.Mode&0o777 != 0o640 {
		t.Errorf("got mode %o, %d links, %v", st.Mode, st.Nlink, err)
	}
}

func TestRemovedWorkingDirectory(t *testing.T) {
	mnt := newMount(t)
	d := open(t, subdir(t, mnt, "gone"), os.O_RDONLY, 0)
	if err := os.Remove(d.Name()); err != nil {
		t.Fatal(err)
	}
	_, err := unix.Openat(int(d.Fd()), "file", unix.O_CREAT|unix.O_WRONLY, 0o600)
	wantErr(t, "create in a removed directory", err, unix.ENOENT)
}

func TestSharedWritableMapping(t *testing.T) {
	dir := newMount(t)
	f := open(t, dir+"/map", os.O_RDWR|os.O_CREATE, 0o600)
	const size = 1 << 20
	if err := f.Truncate(size); err != nil {
		t.Fatal(err)
	}
	m, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	f.Close() // the mapping keeps the file open
	copy(m[size-5:], "write")
	if err := unix.Msync(m, unix.MS_SYNC); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(dir + "/map")
	if err != nil || !bytes.HasSuffix(got, []byte("write")) {
		t.Errorf("reading what the mapping wrote: %v", err)
	}
	g := open(t, dir+"/map", os.O_RDWR, 0)
	if _, err := g.WriteAt([]byte("other"), 0); err != nil {
		t.Fatal(err)
	}
	if string(m[:5]) != "other" {
		t.Errorf("the mapping shows %q, want what was written", m[:5])
	}
	if err := unix.Munmap(m); err != nil {
		t.Fatal(err)
	}
}

func TestHoles(t *testing.T) {
	dir := newMount(t)
	f := open(t, dir+"/sparse", os.O_RDWR|os.O_CREATE, 0o600)
	const block = 512 << 10
	if _, err := f.WriteAt(bytes.Repeat([]byte{1}, 3*block), 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, block, block); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = open(t, dir+"/sparse", os.O_RDWR, 0)
	// What was punched may be found as zeros until the file is sealed, some time after it was closed.
	eventually(t, "the hole", func() error {
		for _, s := range []struct {
			whence     int
			from, want int64
		}{
			{unix.SEEK_HOLE, 0, block},
			{unix.SEEK_DATA, 0, 0},
			{unix.SEEK_DATA, block, 2 * block},
			{unix.SEEK_HOLE, 2 * block, 3 * block},
		} {
			if got, err := f.Seek(s.from, s.whence); err != nil || got != s.want {
				return fmt.Errorf("seek(%d, %d): got %d, %w, want %d", s.from, s.whence, got, err, s.want)
			}
		}
		return nil
	})
	_, err := f.Seek(3*block, unix.SEEK_DATA)
	wantErr(t, "data after the end", err, unix.ENXIO)

	got := make([]byte, 3*block)
	if _, err := f.ReadAt(got, 0); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got[block:2*block], make([]byte, block)) || got[block-1] != 1 || got[2*block] != 1 {
		t.Error("the hole is not where it was punched")
	}
	if err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_ZERO_RANGE, 3*block-1, 10); err != nil {
		t.Fatal(err)
	}
	if st := stat(t, dir+"/sparse"); st.Size != 3*block+9 {
		t.Errorf("zeroing past the end: got size %d, want %d", st.Size, 3*block+9)
	}
	wantErr(t, "collapse", unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_COLLAPSE_RANGE, 0, block), unix.EOPNOTSUPP)
}

// TestSeekSeesWhatIsNotWrittenBack is about pages that only the kernel has yet.
func TestSeekSeesWhatIsNotWrittenBack(t *testing.T) {
	dir := newMount(t)
	f := open(t, dir+"/file", os.O_RDWR|os.O_CREATE, 0o600)
	if _, err := f.WriteAt([]byte("x"), 4<<20); err != nil {
		t.Fatal(err)
	}
	if got, err := f.Seek(0, unix.SEEK_DATA); err != nil || got == 0 || got > 4<<20 {
		t.Errorf("got data at %d, %v, want it near %d", got, err, 4<<20)
	}
}

// TestSizeAfterClose asks for a file's size while its handle is being released, when what was written passes from
// memory to the database. Without writeback the kernel believes whatever size it is told then.
func TestSizeAfterClose(t *testing.T) {
	dir := mountWith(t, mountRequest{Store: t.TempDir(), NoWriteback: true})
	for i := range 300 {
		name := fmt.Sprintf("%s/file%d", dir, i)
		write(t, name, "content")
		if st := stat(t, name); st.Size != 7 {
			t.Fatalf("%s: got size %d, want 7", name, st.Size)
		}
	}
}

func TestCopyFileRange(t *testing.T) {
	dir := newMount(t)
	content := bytes.Repeat([]byte("0123456789abcdef"), 100_000)
	src := open(t, dir+"/src", os.O_RDWR|os.O_CREATE, 0o600)
	if _, err := src.Write(content); err != nil {
		t.Fatal(err)
	}
	dst := open(t, dir+"/dst", os.O_RDWR|os.O_CREATE, 0o600)
	var from, to int64 = 100, 7
	for left := len(content) - 100; left > 0; {
		n, err := unix.CopyFileRange(int(src.Fd()), &from, int(dst.Fd()), &to, left, 0)
		if err != nil || n == 0 {
			t.Fatalf("copied %d: %v", n, err)
		}
		left -= n
	}
	wantContent(t, dir+"/dst", "\x00\x00\x00\x00\x00\x00\x00"+string(content[100:]))
}

func TestDirectIO(t *testing.T) {
	dir := newMount(t)
	f := open(t, dir+"/direct", os.O_RDWR|os.O_CREATE|unix.O_DIRECT, 0o600)
	page := bytes.Repeat([]byte("d"), 4096)
	if _, err := f.WriteAt(page, 8192); err != nil {
		t.Fatal(err)
	}
	g := open(t, dir+"/direct", os.O_RDWR, 0)
	if _, err := g.WriteAt([]byte("cached"), 8192); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4096)
	if _, err := f.ReadAt(got, 8192); err != nil || !bytes.HasPrefix(got, []byte("cachedd")) {
		t.Errorf("direct read: got %.10q, %v", got, err)
	}
	if st := stat(t, dir+"/direct"); st.Size != 12288 {
		t.Errorf("got size %d, want 12288", st.Size)
	}
}

func TestLongNamesAndDeepPaths(t *testing.T) {
	mnt := newMount(t)
	longest := strings.Repeat("n", 255)
	write(t, filepath.Join(mnt, longest), "x")
	wantContent(t, filepath.Join(mnt, longest), "x")
	wantErr(t, "256 bytes", os.WriteFile(filepath.Join(mnt, longest+"n"), nil, 0o600), unix.ENAMETOOLONG)
	_, err := os.Stat(filepath.Join(mnt, longest+"n"))
	wantErr(t, "stat of 256 bytes", err, unix.ENAMETOOLONG)

	const depth = 25 // times 255: beyond PATH_MAX
	at, err := unix.Open(mnt, unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	deep := strings.Repeat("d", 255)
	for range depth {
		if err := unix.Mkdirat(at, deep, 0o755); err != nil {
			t.Fatal(err)
		}
		next, err := unix.Openat(at, deep, unix.O_DIRECTORY, 0)
		if err != nil {
			t.Fatal(err)
		}
		unix.Close(at)
		at = next
	}
	defer unix.Close(at)
	fd, err := unix.Openat(at, "bottom", unix.O_CREAT|unix.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstatat(at, "bottom", &st, 0); err != nil {
		t.Error(err)
	}
}

func TestSpecialFiles(t *testing.T) {
	harness.RequireRoot(t)
	dir := newMount(t)
	for name, mode := range map[string]uint32{"fifo": unix.S_IFIFO, "socket": unix.S_IFSOCK, "char": unix.S_IFCHR, "block": unix.S_IFBLK} {
		dev := unix.Mkdev(1, 3)
		if mode == unix.S_IFIFO || mode == unix.S_IFSOCK {
			dev = 0
		}
		if err := unix.Mknod(dir+"/"+name, mode|0o666, int(dev)); err != nil {
			t.Fatal(err)
		}
		if st := stat(t, dir+"/"+name); st.Mode&unix.S_IFMT != mode || st.Rdev != dev {
			t.Errorf("%s: got mode %o device %x, want %o %x", name, st.Mode, st.Rdev, mode, dev)
		}
	}
	if got, err := os.ReadFile(dir + "/char"); err != nil || len(got) != 0 {
		t.Errorf("reading the null device: got %q, %v", got, err)
	}
}

func TestBirthTime(t *testing.T) {
	dir := newMount(t)
	before := time.Now().Add(-time.Second)
	write(t, dir+"/file", "x")
	old := time.Unix(1e9, 0)
	if err := os.Chtimes(dir+"/file", old, old); err != nil {
		t.Fatal(err)
	}
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, dir+"/file", 0, unix.STATX_BASIC_STATS|unix.STATX_BTIME, &st); err != nil {
		t.Fatal(err)
	}
	if st.Mask&unix.STATX_BTIME == 0 {
		t.Skip("this kernel does not ask for birth times")
	}
	if born := time.Unix(st.Btime.Sec, int64(st.Btime.Nsec)); born.Before(before) || st.Mtime.Sec != 1e9 {
		t.Errorf("got birth %v, mtime %d", born, st.Mtime.Sec)
	}
}

func TestAccessTimes(t *testing.T) {
	for _, noAtime := range []bool{false, true} {
		t.Run(fmt.Sprintf("NoAtime=%t", noAtime), func(t *testing.T) {
			dir := mountWith(t, mountRequest{Store: t.TempDir(), NoAtime: noAtime})
			write(t, dir+"/file", "x")
			old := time.Unix(1e9, 0)
			if err := os.Chtimes(dir+"/file", old, time.Now()); err != nil {
				t.Fatal(err)
			}
			before := stat(t, dir+"/file")
			dropCached(t, dir+"/file")
			wantContent(t, dir+"/file", "x")
			after := stat(t, dir+"/file")
			if renewed := after.Atim.Sec > 1e9; renewed == noAtime {
				t.Errorf("got atime %d", after.Atim.Sec)
			}
			if before.Ctim != after.Ctim {
				t.Errorf("reading changed ctime from %v to %v", before.Ctim, after.Ctim)
			}
		})
	}
}

// dropCached has the kernel forget a file's pages, so that the next read reaches the mount.
func dropCached(t *testing.T, path string) {
	t.Helper()
	f := open(t, path, os.O_RDWR, 0)
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
		t.Fatal(err)
	}
}

func TestStatfsShowsTheDisk(t *testing.T) {
	dir := newMount(t)
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	if st.Blocks == 0 || st.Bavail == 0 || st.Bavail > st.Blocks || st.Namelen != 255 || st.Type != unix.FUSE_SUPER_MAGIC {
		t.Errorf("got %+v", st)
	}
}

// TestLocksBetweenProcesses has two processes want the same lock.
func TestLocksBetweenProcesses(t *testing.T) {
	dir := newMount(t)
	flock := harness.RequireProgram(t, "flock", "util-linux")
	f := open(t, dir+"/lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(flock, "-n", dir+"/lock", "true").Run(); err == nil {
		t.Error("another process got a lock that is held")
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := exec.Command(flock, "-n", dir+"/lock", "true").Run(); err != nil {
		t.Errorf("another process did not get a free lock: %v", err)
	}
}
