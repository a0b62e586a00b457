package posix

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tick is longer than the granularity of the time stamps of any file system
// under test: with a coarse kernel clock that is one scheduler tick, at most 10 ms.
const tick = 15 * time.Millisecond

// A suite is a directory under test and the helper processes for it.
type suite struct {
	t       *testing.T
	base    string
	helpers map[string]*helper
	serial  int
}

func newSuite(t *testing.T, base string) *suite {
	t.Helper()
	dir, err := os.MkdirTemp(base, "posix-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("removing what the tests left: %v", err)
		}
	})
	return &suite{t: t, base: dir, helpers: map[string]*helper{}}
}

// helper returns the process for a user, starting it at its first use.
func (s *suite) helper(who credential) *helper {
	key := fmt.Sprint(who)
	h, ok := s.helpers[key]
	if !ok {
		h = startHelper(s.t, who)
		s.helpers[key] = h
	}
	return h
}

// A fixture is the fresh directory of one test, and its expectations.
type fixture struct {
	t    *testing.T
	s    *suite
	dir  string
	root user
}

// fixture makes a directory that belongs to root and that others may search.
func (s *suite) fixture(t *testing.T) *fixture {
	t.Helper()
	s.serial++
	f := &fixture{t: t, s: s, dir: filepath.Join(s.base, strconv.Itoa(s.serial))}
	if err := os.Mkdir(f.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f.root = f.as(0, 0)
	return f
}

// on returns the fixture for a subtest.
func (f *fixture) on(t *testing.T) *fixture {
	sub := *f
	sub.t, sub.root.f = t, &sub
	return &sub
}

// below returns the fixture with a directory of it as the one that paths are
// relative to.
func (f *fixture) below(name string) *fixture {
	sub := *f
	sub.dir, sub.root.f = filepath.Join(f.dir, name), &sub
	return &sub
}

// as returns a user with a user number and groups, the effective one first.
func (f *fixture) as(uid int, groups ...int) user {
	return user{f: f, h: f.s.helper(credential{UID: uid, Groups: groups})}
}

// want expects a call to fail with one of the errors, or to succeed if none is
// named.
func (f *fixture) want(r result, errnos ...unix.Errno) {
	f.t.Helper()
	checks.Add(1)
	if len(errnos) == 0 {
		errnos = []unix.Errno{0}
	}
	if !slices.Contains(errnos, r.Errno) {
		f.t.Errorf("%v, want %s", r, errnoNames(errnos))
	}
}

// must is want for what the rest of a test rests on.
func (f *fixture) must(r result) {
	f.t.Helper()
	checks.Add(1)
	if r.Errno != 0 {
		f.t.Fatalf("cannot go on: %v", r)
	}
}

// lstat returns the attributes of a path that must exist.
func (f *fixture) lstat(path string) unix.Stat_t {
	f.t.Helper()
	r := f.root.lstat(path)
	f.must(r)
	return r.Stat
}

// wantMode expects permission bits.
func (f *fixture) wantMode(path string, mode uint32) {
	f.t.Helper()
	st := f.lstat(path)
	equal(f, path+": mode", fmt.Sprintf("%#o", st.Mode&0o7777), fmt.Sprintf("%#o", mode))
}

// wantType expects a file type, as in the mode of stat(2).
func (f *fixture) wantType(path string, fileType uint32) {
	f.t.Helper()
	st := f.lstat(path)
	equal(f, path+": type", fmt.Sprintf("%#o", st.Mode&unix.S_IFMT), fmt.Sprintf("%#o", fileType))
}

func (f *fixture) wantOwner(path string, uid, gid uint32) {
	f.t.Helper()
	st := f.lstat(path)
	equal(f, path+": owner", fmt.Sprint(st.Uid, ":", st.Gid), fmt.Sprint(uid, ":", gid))
}

func (f *fixture) wantNlink(path string, n uint64) {
	f.t.Helper()
	equal(f, path+": link count", uint64(f.lstat(path).Nlink), n)
}

func (f *fixture) wantSize(path string, size int64) {
	f.t.Helper()
	equal(f, path+": size", f.lstat(path).Size, size)
}

func (f *fixture) wantInode(path string, ino uint64) {
	f.t.Helper()
	equal(f, path+": inode", f.lstat(path).Ino, ino)
}

func (f *fixture) wantAbsent(path string) {
	f.t.Helper()
	f.want(f.root.lstat(path), unix.ENOENT)
}

// equal expects a value.
func equal[T comparable](f *fixture, what string, got, want T) {
	f.t.Helper()
	checks.Add(1)
	if got != want {
		f.t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func errnoName(e unix.Errno) string {
	if e == 0 {
		return "success"
	}
	return unix.ErrnoName(e)
}

func errnoNames(errnos []unix.Errno) string {
	names := make([]string, len(errnos))
	for i, e := range errnos {
		names[i] = errnoName(e)
	}
	return strings.Join(names, " or ")
}

// nsec is a time stamp as nanoseconds since the epoch.
func nsec(ts unix.Timespec) int64 { return ts.Nano() }
