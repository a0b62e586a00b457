package posix

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	date1 = 1900000000 // 2030
	date2 = 1950000000 // 2031
)

func at(sec, nsec int64) unix.Timespec { return unix.Timespec{Sec: sec, Nsec: nsec} }

var (
	now  = at(0, unix.UTIME_NOW)
	omit = at(0, unix.UTIME_OMIT)
)

func testUtimensat(s *suite, t *testing.T) {
	for _, typ := range allTypes {
		t.Run("a "+typ.name, func(t *testing.T) { checkSetTimes(s.fixture(t), typ) })
	}
	t.Run("range", func(t *testing.T) { checkTimeRange(s.fixture(t)) })
	t.Run("now and omit", func(t *testing.T) { checkNowOmit(s.fixture(t)) })
	t.Run("symbolic links", func(t *testing.T) { checkTimesOfLink(s.fixture(t)) })
	t.Run("permissions", func(t *testing.T) { checkTimesPermissions(s.fixture(t)) })
	t.Run("errors", func(t *testing.T) { checkTimesErrors(s.fixture(t)) })
}

func (f *fixture) wantTimes(path string, atime, mtime unix.Timespec) {
	f.t.Helper()
	st := f.lstat(path)
	equal(f, path+": atime", st.Atim, atime)
	equal(f, path+": mtime", st.Mtim, mtime)
}

func checkSetTimes(f *fixture, typ fileType) {
	f.must(typ.make(f.root, "x"))
	before := f.lstat("x")
	time.Sleep(tick)
	f.want(f.root.utimensat("x", unix.AT_SYMLINK_NOFOLLOW, at(date1, 123456789), at(date2, 987654321)))
	f.wantTimes("x", at(date1, 123456789), at(date2, 987654321))
	f.wantTime("ctime", before.Ctim, f.lstat("x").Ctim, true)
}

// checkTimeRange: times are kept to the nanosecond, beyond 32 bits of seconds,
// and before the epoch.
func checkTimeRange(f *fixture) {
	f.must(f.root.create("x", 0o644))
	for _, sec := range []int64{0, 1, -1, -1000000000, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<33 + 5} {
		for _, nsec := range []int64{0, 1, 999999999} {
			f.want(f.root.utimensat("x", 0, at(sec, nsec), at(sec+1, nsec)))
			f.wantTimes("x", at(sec, nsec), at(sec+1, nsec))
		}
	}
}

func checkNowOmit(f *fixture) {
	f.must(f.root.create("x", 0o644))
	set := func() { f.must(f.root.utimensat("x", 0, at(date1, 1), at(date2, 2))) }
	set()
	f.want(f.root.utimensat("x", 0, omit, at(5, 6)))
	f.wantTimes("x", at(date1, 1), at(5, 6))
	set()
	f.want(f.root.utimensat("x", 0, at(5, 6), omit))
	f.wantTimes("x", at(5, 6), at(date2, 2))
	set()
	before := f.lstat("x")
	time.Sleep(tick)
	f.want(f.root.utimensat("x", 0, omit, omit))
	equal(f, "attributes", f.lstat("x"), before)

	start := time.Now().Add(-time.Second)
	for _, c := range []struct {
		times        []unix.Timespec
		atime, mtime bool
	}{
		{[]unix.Timespec{now, omit}, true, false},
		{[]unix.Timespec{omit, now}, false, true},
		{[]unix.Timespec{now, now}, true, true},
		{nil, true, true},
	} {
		set()
		f.want(f.root.utimensat("x", 0, c.times...))
		st := f.lstat("x")
		f.wantNow(fmt.Sprint(c.times, ": atime"), st.Atim, start, c.atime)
		f.wantNow(fmt.Sprint(c.times, ": mtime"), st.Mtim, start, c.mtime)
	}
}

// wantNow expects a time to be the present one, or to be far in the future, where
// the tests set it.
func (f *fixture) wantNow(what string, ts unix.Timespec, start time.Time, present bool) {
	f.t.Helper()
	when := time.Unix(ts.Unix())
	equal(f, what+" is the present", when.After(start) && when.Before(time.Now().Add(time.Second)), present)
}

func checkTimesOfLink(f *fixture) {
	f.must(f.root.create("x", 0o644))
	f.must(f.root.symlink("x", "link"))
	f.want(f.root.utimensat("x", 0, at(1, 0), at(2, 0)))
	f.want(f.root.utimensat("link", unix.AT_SYMLINK_NOFOLLOW, at(3, 0), at(4, 0)))
	f.wantTimes("x", at(1, 0), at(2, 0))
	equal(f, "mtime of the link", f.lstat("link").Mtim, at(4, 0))
	f.want(f.root.utimensat("link", 0, at(5, 0), at(6, 0)))
	f.wantTimes("x", at(5, 0), at(6, 0))
	equal(f, "mtime of the link", f.lstat("link").Mtim, at(4, 0))
}

// checkTimesPermissions: whoever may write may set the present time; other times
// are for the owner and for root.
func checkTimesPermissions(f *fixture) {
	f.make(regular, "x", 0, 0)
	some, stranger := f.as(ownerID, ownerID), f.as(strangerID, strangerID)
	explicit := [][]unix.Timespec{
		{omit, at(date2, 0)},
		{at(date1, 0), omit},
		{at(date1, 0), at(date2, 0)},
		{now, at(date2, 0)},
		{at(date1, 0), now},
		{now, omit},
		{omit, now},
	}
	present := [][]unix.Timespec{{now, now}, nil}
	for _, c := range []struct {
		owner  int
		mode   uint32
		who    user
		set    unix.Errno // result of setting explicit times
		setNow unix.Errno
	}{
		{0, 0o644, some, unix.EPERM, unix.EACCES},
		{0, 0o666, some, unix.EPERM, 0},
		{ownerID, 0o444, some, 0, 0},
		{ownerID, 0o000, some, 0, 0},
		{ownerID, 0o000, f.root, 0, 0},
		{ownerID, 0o002, stranger, unix.EPERM, 0},
		{ownerID, 0o775, stranger, unix.EPERM, unix.EACCES},
	} {
		f.must(f.root.chown("x", c.owner, c.owner))
		f.must(f.root.chmod("x", c.mode))
		for _, times := range explicit {
			f.want(c.who.utimensat("x", 0, times...), c.set)
		}
		for _, times := range present {
			f.want(c.who.utimensat("x", 0, times...), c.setNow)
		}
		f.want(c.who.utimensat("x", 0, omit, omit))
	}
}

func checkTimesErrors(f *fixture) {
	f.must(f.root.create("x", 0o644))
	before := f.lstat("x")
	time.Sleep(tick)
	f.want(f.root.utimensat("x", 0, at(1, 1000000000), at(2, 0)), unix.EINVAL)
	f.want(f.root.utimensat("x", 0, at(1, 0), at(2, -1)), unix.EINVAL)
	f.want(f.root.utimensat("x", 1<<20, at(1, 0), at(2, 0)), unix.EINVAL)
	equal(f, "attributes", f.lstat("x"), before)
}
