package fusefs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// visibleWithin is the promise about changes of other processes.
const visibleWithin = time.Second

// newForeign mounts a new volume and opens it a second time beside the mount, as another process does.
func newForeign(t *testing.T) (mnt string, other *swarmstore.Volume) {
	t.Helper()
	return foreignWith(t, mountRequest{Store: t.TempDir()})
}

func foreignWith(t *testing.T, r mountRequest) (mnt string, other *swarmstore.Volume) {
	t.Helper()
	mnt = mountWith(t, r)
	store, volume, err := openTestVolume(t.Context(), r.Store)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return mnt, volume
}

// eventually waits for a condition as long as the promise allows.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	var err error
	for begin := time.Now(); time.Since(begin) < visibleWithin; time.Sleep(10 * time.Millisecond) {
		if err = holds(); err == nil {
			return
		}
	}
	t.Errorf("%s is not visible after %v: %v", what, visibleWithin, err)
}

func contentIs(path, want string) func() error {
	return func() error {
		got, err := os.ReadFile(path)
		if err == nil && string(got) != want {
			err = fmt.Errorf("got %.40q (%d bytes), want %.40q (%d bytes)", got, len(got), want, len(want))
		}
		return err
	}
}

func missing(path string) func() error {
	return func() error {
		if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("stat: %w", err)
		}
		return nil
	}
}

func TestForeignNewFile(t *testing.T) {
	mnt, other := newForeign(t)
	if err := missing(mnt + "/file")(); err != nil { // the kernel caches that it is missing
		t.Fatal(err)
	}
	if err := other.WriteFile(t.Context(), "/file", []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new file", contentIs(mnt+"/file", "content"))
}

func TestForeignReplacedFile(t *testing.T) {
	mnt, other := newForeign(t)
	write(t, mnt+"/file", "old")
	wantContent(t, mnt+"/file", "old")
	eventually(t, "what the mount wrote", holds(other, "/file", "old"))
	if err := other.WriteFile(t.Context(), "/file", []byte("new content"), 0o644); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replacement", contentIs(mnt+"/file", "new content"))
}

// openAs opens a file in the other process once it holds what the mount wrote.
func openAs(t *testing.T, other *swarmstore.Volume, path, content string) *swarmstore.File {
	t.Helper()
	eventually(t, "what the mount wrote", holds(other, path, content))
	f, err := other.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// holds tells whether a file has that content for the other process.
func holds(other *swarmstore.Volume, path, want string) func() error {
	return func() error {
		got, err := other.ReadFile(context.Background(), path)
		if err == nil && string(got) != want {
			err = fmt.Errorf("got %d bytes, want %d", len(got), len(want))
		}
		return err
	}
}

// overwrite changes a file in place that the mount has written before.
func overwrite(t *testing.T, other *swarmstore.Volume, path, before, content string, offset int64) {
	t.Helper()
	f := openAs(t, other, path, before)
	if _, err := f.WriteAt(t.Context(), []byte(content), offset); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Flush(t.Context()), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestForeignChangedContent(t *testing.T) {
	mnt, other := newForeign(t)
	for _, size := range []int{10, 5000, 1 << 20} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			name := fmt.Sprintf("/file%d", size)
			before := strings.Repeat("a", size)
			write(t, mnt+name, before)
			wantContent(t, mnt+name, before)
			overwrite(t, other, name, before, "bbb", 3)
			eventually(t, "the change", contentIs(mnt+name, "aaabbb"+before[6:]))
		})
	}
}

func TestForeignGrowth(t *testing.T) {
	mnt, other := newForeign(t)
	before := strings.Repeat("a", 10_000)
	write(t, mnt+"/log", before)
	wantContent(t, mnt+"/log", before)
	overwrite(t, other, "/log", before, "more", int64(len(before)))
	eventually(t, "the growth", contentIs(mnt+"/log", before+"more"))
}

// TestForeignGrowthOfOpenFile is tail -f of a log that another process writes.
func TestForeignGrowthOfOpenFile(t *testing.T) {
	mnt, other := newForeign(t)
	write(t, mnt+"/log", "first\n")
	f := open(t, mnt+"/log", os.O_RDONLY, 0)
	if _, err := io.ReadAll(f); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 20_000) + "\n"
	overwrite(t, other, "/log", "first\n", long, 6)
	var got []byte
	eventually(t, "the growth of the open file", func() error {
		more, err := io.ReadAll(f)
		got = append(got, more...)
		if err == nil && string(got) != long {
			err = fmt.Errorf("got %d bytes of %d", len(got), len(long))
		}
		return err
	})
}

// TestForeignTruncation has the kernel drop the file, by its number or, as before Linux 6.18, by its name.
func TestForeignTruncation(t *testing.T) {
	for _, noPrune := range []bool{false, true} {
		t.Run(fmt.Sprintf("NoPrune=%t", noPrune), func(t *testing.T) {
			foreignTruncation(t, mountRequest{Store: t.TempDir(), NoPrune: noPrune})
		})
	}
}

func foreignTruncation(t *testing.T, r mountRequest) {
	mnt, other := foreignWith(t, r)
	write(t, mnt+"/file", strings.Repeat("a", 100_000))
	wantContent(t, mnt+"/file", strings.Repeat("a", 100_000))
	f := openAs(t, other, "/file", strings.Repeat("a", 100_000))
	if err := errors.Join(f.Truncate(t.Context(), 5), f.Flush(t.Context()), f.Close()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the truncation", contentIs(mnt+"/file", "aaaaa"))
}

func TestForeignRemoval(t *testing.T) {
	mnt, other := newForeign(t)
	write(t, mnt+"/file", "x")
	subdir(t, mnt, "dir")
	stat(t, mnt+"/file")
	eventually(t, "what the mount made", func() error { return presentIn(other, "/file", "/dir") })
	for _, path := range []string{"/file", "/dir"} {
		if err := other.Remove(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the removal of "+path, missing(mnt+path))
	}
}

// presentIn tells whether the other process finds the paths.
func presentIn(other *swarmstore.Volume, paths ...string) error {
	for _, path := range paths {
		if _, err := other.Lstat(context.Background(), path); err != nil {
			return err
		}
	}
	return nil
}

func TestForeignRename(t *testing.T) {
	mnt, other := newForeign(t)
	subdir(t, mnt, "dir")
	write(t, mnt+"/from", "x")
	wantContent(t, mnt+"/from", "x")
	eventually(t, "what the mount wrote", holds(other, "/from", "x"))
	if err := other.MovePath(t.Context(), "/from", "/dir/to"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new name", contentIs(mnt+"/dir/to", "x"))
	eventually(t, "that the old name is gone", missing(mnt+"/from"))
}

func TestForeignListing(t *testing.T) {
	mnt, other := newForeign(t)
	list := func() string {
		entries, err := os.ReadDir(mnt)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		for _, e := range entries {
			fmt.Fprint(&b, e.Name(), " ")
		}
		return b.String()
	}
	write(t, mnt+"/b", "")
	list()
	for _, name := range []string{"/a", "/c"} {
		if err := other.Mkdir(t.Context(), name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the listing", func() error {
		if got := list(); got != "a b c " {
			return fmt.Errorf("got %q", got)
		}
		return nil
	})
}

func TestForeignAttributes(t *testing.T) {
	mnt, other := newForeign(t)
	write(t, mnt+"/file", "x")
	st := stat(t, mnt+"/file")
	if _, err := unix.Getxattr(mnt+"/file", "user.note", nil); !errors.Is(err, unix.ENODATA) {
		t.Fatal(err)
	}
	mode := uint32(0o600)
	ino := swarmstore.Ino(st.Ino)
	when := time.Unix(1e9, 0)
	eventually(t, "what the mount made", func() error { return presentIn(other, "/file") })
	if _, err := other.Setattr(t.Context(), ino, swarmstore.SetAttr{Mode: &mode, Mtime: &when}); err != nil {
		t.Fatal(err)
	}
	if err := other.Setxattr(t.Context(), ino, "user.note", []byte("v"), 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the attributes", func() error {
		st := stat(t, mnt+"/file")
		if st.Mode&0o777 != mode || st.Mtim.Sec != 1e9 {
			return fmt.Errorf("mode %o, mtime %d", st.Mode, st.Mtim.Sec)
		}
		_, err := unix.Getxattr(mnt+"/file", "user.note", nil)
		return err
	})
}

// TestMountWritesReachOthers is the other direction: what was closed in the mount is there for other processes.
func TestMountWritesReachOthers(t *testing.T) {
	mnt, other := newForeign(t)
	for _, size := range []int{10, 100_000} {
		want := strings.Repeat("m", size)
		name := fmt.Sprintf("/file%d", size)
		write(t, mnt+name, want)
		eventually(t, "what the mount wrote", holds(other, name, want))
	}
}

// TestCreateOverForeignFile opens with O_CREAT a name that the kernel believes to be missing.
func TestCreateOverForeignFile(t *testing.T) {
	mnt, other := newForeign(t)
	for i := range 20 {
		name := fmt.Sprintf("/file%d", i)
		if err := missing(mnt + name)(); err != nil {
			t.Fatal(err)
		}
		if err := other.WriteFile(t.Context(), name, []byte("theirs"), 0o644); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(mnt+name, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(f)
		f.Close()
		if err != nil || string(got) != "theirs" {
			t.Errorf("got %q, %v", got, err)
		}
	}
}
