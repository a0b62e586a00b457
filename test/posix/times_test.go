package posix

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A timeEffect says which times of a path an operation sets.
type timeEffect struct {
	before string // the path before the operation
	after  string // and after it; empty: the same
	mtime  bool
	ctime  bool
}

// A timeRule is what an operation does to times when it succeeds. When it is
// denied it changes none of them.
type timeRule struct {
	name    string
	types   []fileType
	prepare func(f *fixture, typ fileType) // besides dir, which exists
	do      func(u user, typ fileType) result
	effects []timeEffect
	denial  []unix.Errno // of a stranger; nil: strangers may do it
}

// changed is a directory whose entries changed.
func changed(path string) timeEffect { return timeEffect{before: path, mtime: true, ctime: true} }

// touched is a file whose attributes or links changed.
func touched(path string) timeEffect { return timeEffect{before: path, ctime: true} }

// moved is a file that got another name.
func moved(from, to string) timeEffect { return timeEffect{before: from, after: to, ctime: true} }

func makeX(f *fixture, typ fileType) { f.must(typ.make(f.root, "dir/x")) }

func linkX(f *fixture, typ fileType) {
	makeX(f, typ)
	f.must(f.root.link("dir/x", "other"))
}

var denied = []unix.Errno{unix.EACCES}

// exclude returns the types except those named.
func exclude(types []fileType, but fileType) []fileType {
	var rest []fileType
	for _, typ := range types {
		if typ.name != but.name {
			rest = append(rest, typ)
		}
	}
	return rest
}

func timeRules() []timeRule {
	return []timeRule{
		{
			name: "create", types: allTypes, denial: denied,
			do:      func(u user, typ fileType) result { return typ.make(u, "dir/x") },
			effects: []timeEffect{changed("dir")},
		},
		{
			name: "chmod", types: withMode, prepare: makeX, denial: []unix.Errno{unix.EPERM},
			do:      func(u user, _ fileType) result { return u.chmod("dir/x", 0o111) },
			effects: []timeEffect{touched("dir/x"), {before: "dir"}},
		},
		{
			name: "chown", types: withMode, prepare: makeX, denial: []unix.Errno{unix.EPERM},
			do:      func(u user, _ fileType) result { return u.chown("dir/x", ownerID, ownerID) },
			effects: []timeEffect{touched("dir/x"), {before: "dir"}},
		},
		{
			name: "lchown", types: allTypes, prepare: makeX, denial: []unix.Errno{unix.EPERM},
			do:      func(u user, _ fileType) result { return u.lchown("dir/x", ownerID, ownerID) },
			effects: []timeEffect{touched("dir/x"), {before: "dir"}},
		},
		{
			name: "link", types: exclude(allTypes, dir), prepare: makeX,
			denial: []unix.Errno{unix.EACCES, unix.EPERM},
			do:     func(u user, _ fileType) result { return u.link("dir/x", "dir2/y") },
			effects: []timeEffect{
				touched("dir/x"), changed("dir2"), {before: "dir"},
			},
		},
		{
			name: "unlink", types: nonDirs, prepare: linkX, denial: denied,
			do:      func(u user, _ fileType) result { return u.unlink("dir/x") },
			effects: []timeEffect{changed("dir"), touched("other")},
		},
		{
			name: "rmdir", types: []fileType{dir}, prepare: makeX, denial: denied,
			do:      func(u user, _ fileType) result { return u.rmdir("dir/x") },
			effects: []timeEffect{changed("dir")},
		},
		{
			name: "rename to another directory", types: allTypes, prepare: makeX, denial: denied,
			do:      func(u user, _ fileType) result { return u.rename("dir/x", "dir2/y") },
			effects: []timeEffect{changed("dir"), changed("dir2"), moved("dir/x", "dir2/y")},
		},
		{
			name: "rename within a directory", types: allTypes, prepare: makeX, denial: denied,
			do:      func(u user, _ fileType) result { return u.rename("dir/x", "dir/y") },
			effects: []timeEffect{changed("dir"), moved("dir/x", "dir/y")},
		},
		{
			name: "rename over a link", types: nonDirs, denial: denied,
			prepare: func(f *fixture, typ fileType) {
				linkX(f, typ)
				f.must(typ.make(f.root, "dir2/y"))
			},
			do:      func(u user, _ fileType) result { return u.rename("dir2/y", "dir/x") },
			effects: []timeEffect{changed("dir"), changed("dir2"), touched("other")},
		},
		{
			name: "truncate", types: []fileType{regular}, prepare: makeX, denial: denied,
			do:      func(u user, _ fileType) result { return u.truncate("dir/x", 123) },
			effects: []timeEffect{changed("dir/x"), {before: "dir"}},
		},
		{
			name: "open with O_TRUNC", types: []fileType{regular}, denial: denied,
			prepare: func(f *fixture, typ fileType) {
				makeX(f, typ)
				f.must(f.root.truncate("dir/x", 5))
			},
			do:      func(u user, _ fileType) result { return u.touch("dir/x", unix.O_WRONLY|unix.O_TRUNC, 0) },
			effects: []timeEffect{changed("dir/x"), {before: "dir"}},
		},
		{
			name: "open with O_CREAT of an existing file", types: []fileType{regular}, prepare: makeX,
			do:      func(u user, _ fileType) result { return u.touch("dir/x", unix.O_CREAT|unix.O_RDONLY, 0o644) },
			effects: []timeEffect{{before: "dir/x"}, {before: "dir"}},
		},
		{
			// Everybody may write to the other types as they are made here.
			name: "utimensat now", types: []fileType{regular, dir, fifo, block, char}, prepare: makeX, denial: denied,
			do: func(u user, _ fileType) result {
				return u.utimensat("dir/x", unix.AT_SYMLINK_NOFOLLOW)
			},
			effects: []timeEffect{changed("dir/x"), {before: "dir"}},
		},
	}
}

// testTimes tests the times of a node, of its other names and of its parent.
func testTimes(s *suite, t *testing.T) {
	for _, rule := range timeRules() {
		t.Run(rule.name, func(t *testing.T) {
			for _, typ := range rule.types {
				t.Run(typ.name, func(t *testing.T) { checkTimes(s, t, rule, typ) })
			}
		})
	}
	t.Run("of a new file", func(t *testing.T) { checkNewTimes(s, t) })
	t.Run("by writing", func(t *testing.T) { checkWriteTimes(s, t) })
}

func checkTimes(s *suite, t *testing.T, rule timeRule, typ fileType) {
	f := s.fixture(t)
	f.must(f.root.mkdir("dir", 0o755))
	f.must(f.root.mkdir("dir2", 0o755))
	if rule.prepare != nil {
		rule.prepare(f, typ)
	}
	before := f.timesBefore(rule)
	time.Sleep(tick)
	stranger := rule.do(f.as(strangerID, strangerID), typ)
	if rule.denial == nil {
		f.want(stranger)
	} else {
		f.want(stranger, rule.denial...)
	}
	for i, e := range rule.effects {
		after := f.lstat(e.before)
		equal(f, e.before+": mtime after a denial", nsec(after.Mtim), nsec(before[i].Mtim))
		equal(f, e.before+": ctime after a denial", nsec(after.Ctim), nsec(before[i].Ctim))
	}
	f.want(rule.do(f.root, typ))
	for i, e := range rule.effects {
		path := e.after
		if path == "" {
			path = e.before
		}
		after := f.lstat(path)
		f.wantTime(path+": mtime", before[i].Mtim, after.Mtim, e.mtime)
		f.wantTime(path+": ctime", before[i].Ctim, after.Ctim, e.ctime)
	}
}

func (f *fixture) timesBefore(rule timeRule) []unix.Stat_t {
	f.t.Helper()
	var all []unix.Stat_t
	for _, e := range rule.effects {
		all = append(all, f.lstat(e.before))
	}
	return all
}

// wantTime expects a time to have grown, or to be the same.
func (f *fixture) wantTime(what string, before, after unix.Timespec, grown bool) {
	f.t.Helper()
	checks.Add(1)
	switch {
	case grown && nsec(after) <= nsec(before):
		f.t.Errorf("%s did not grow: %d, before %d", what, nsec(after), nsec(before))
	case !grown && nsec(after) != nsec(before):
		f.t.Errorf("%s changed from %d to %d", what, nsec(before), nsec(after))
	}
}

// checkNewTimes: all three times of a new file are that of its creation.
func checkNewTimes(s *suite, t *testing.T) {
	for _, typ := range allTypes {
		f := s.fixture(t)
		before := f.lstat(".")
		time.Sleep(tick)
		f.must(typ.make(f.root, "x"))
		after := f.lstat("x")
		f.wantTime(typ.name+": atime", before.Ctim, after.Atim, true)
		f.wantTime(typ.name+": mtime", before.Ctim, after.Mtim, true)
		f.wantTime(typ.name+": ctime", before.Ctim, after.Ctim, true)
	}
}

func checkWriteTimes(s *suite, t *testing.T) {
	f := s.fixture(t)
	f.must(f.root.mkdir("dir", 0o755))
	fd := f.root.open("dir/x", unix.O_CREAT|unix.O_RDWR, 0o644)
	for i, write := range []func() result{
		func() result { return f.root.pwrite(fd, []byte("hello"), 0) },
		func() result { return f.root.pwrite(fd, []byte("again"), 0) },
		func() result { return f.root.ftruncate(fd, 3) },
		func() result { return f.root.ftruncate(fd, 10000) },
		func() result { return f.root.fallocate(fd, 0, 0, 20000) },
	} {
		before, parent := f.lstat("dir/x"), f.lstat("dir")
		time.Sleep(tick)
		f.want(write())
		after := f.lstat("dir/x")
		f.wantTime(fmt.Sprintf("mtime after step %d", i), before.Mtim, after.Mtim, true)
		f.wantTime(fmt.Sprintf("ctime after step %d", i), before.Ctim, after.Ctim, true)
		equal(f, "the directory", f.lstat("dir"), parent)
	}
	before := f.lstat("dir/x")
	time.Sleep(tick)
	f.want(f.root.pread(fd, 5, 0))
	f.wantTime("mtime after a read", before.Mtim, f.lstat("dir/x").Mtim, false)
	f.wantTime("ctime after a read", before.Ctim, f.lstat("dir/x").Ctim, false)
	f.must(f.root.close(fd))
	f.wantTime("mtime after a close", before.Mtim, f.lstat("dir/x").Mtim, false)
}
