package posix

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func testPathErrors(s *suite, t *testing.T) {
	for _, rule := range []struct {
		name  string
		check func(*fixture, pathOp)
	}{
		{"a component that is not a directory", checkNotDir},
		{"a trailing slash after a file", checkTrailingSlash},
		{"the length of a name", checkNameLength},
		{"the length of a path", checkPathLength},
		{"a missing component", checkMissing},
		{"a loop of symbolic links", checkLoop},
		{"a directory that may not be searched", checkUnsearchable},
		{"a read-only file system", checkReadOnly},
		{"an existing file", checkExisting},
	} {
		t.Run(rule.name, func(t *testing.T) {
			for _, op := range pathOps {
				t.Run(op.name, func(t *testing.T) { rule.check(s.pathFixture(t), op) })
			}
		})
	}
	t.Run("a bad address", func(t *testing.T) { checkBadAddress(s.pathFixture(t)) })
}

func checkNotDir(f *fixture, op pathOp) {
	for _, typ := range nonDirs {
		if typ.name == symlink.name {
			continue
		}
		f.must(typ.make(f.root, typ.name))
		f.want(op.do(f.root, typ.name+"/x"), unix.ENOTDIR)
		f.want(op.do(f.root, typ.name+"/x/y"), unix.ENOTDIR)
	}
	f.must(f.root.symlink(regular.name, "to-file"))
	f.want(op.do(f.root, "to-file/x"), unix.ENOTDIR)
}

func checkTrailingSlash(f *fixture, op pathOp) {
	f.must(f.root.create("file", 0o644))
	want := []unix.Errno{unix.ENOTDIR}
	switch {
	case op.name == "mkdir":
		want = []unix.Errno{unix.EEXIST}
	case op.name == "open exclusively":
		want = []unix.Errno{unix.EISDIR}
	case op.creates:
		// Linux looks the name up before it minds the slash.
		want = []unix.Errno{unix.EEXIST, unix.ENOTDIR, unix.ENOENT}
	}
	f.want(op.do(f.root, "file/"), want...)
	f.wantType("file", unix.S_IFREG)
}

func checkNameLength(f *fixture, op pathOp) {
	longest := strings.Repeat("n", unix.NAME_MAX)
	f.prepare(op, longest)
	f.want(op.do(f.root, longest+"n"), unix.ENAMETOOLONG)
	f.want(op.do(f.root, longest+"n/x"), unix.ENAMETOOLONG)
	f.want(op.do(f.root, longest))
}

func checkPathLength(f *fixture, op pathOp) {
	// PATH_MAX counts the terminating zero byte.
	longest := f.deepPath(unix.PathMax - 1)
	f.prepare(op, longest)
	f.want(op.do(f.root, longest+"x"), unix.ENAMETOOLONG)
	f.want(op.do(f.root, longest))
}

// deepPath makes directories such that a path of exactly n bytes names a file
// that does not exist yet.
func (f *fixture) deepPath(n int) string {
	f.t.Helper()
	component := strings.Repeat("d", unix.NAME_MAX/2)
	path := ""
	for len(path)+len(component)+1 < n {
		path += component
		f.must(f.root.mkdir(path, 0o755))
		path += "/"
	}
	return path + strings.Repeat("f", n-len(path))
}

func checkMissing(f *fixture, op pathOp) {
	f.must(f.root.symlink("nowhere", "dangling"))
	f.want(op.do(f.root, "missing/x"), unix.ENOENT)
	f.want(op.do(f.root, "dangling/x"), unix.ENOENT)
	f.want(op.do(f.root, ""), unix.ENOENT)
	if op.creates {
		f.want(op.do(f.root, "dangling"), unix.EEXIST)
		return
	}
	if op.name != "rename to" {
		f.want(op.do(f.root, "missing"), unix.ENOENT)
	}
	if op.follows {
		f.want(op.do(f.root, "dangling"), unix.ENOENT)
	}
}

func checkLoop(f *fixture, op pathOp) {
	f.must(f.root.symlink("loop2", "loop1"))
	f.must(f.root.symlink("loop1", "loop2"))
	f.want(op.do(f.root, "loop1/x"), unix.ELOOP)
	f.want(op.do(f.root, "loop2/x"), unix.ELOOP)
	switch {
	case op.follows:
		f.want(op.do(f.root, "loop1"), unix.ELOOP)
	case op.creates:
		f.want(op.do(f.root, "loop1"), unix.EEXIST)
	}
}

func checkUnsearchable(f *fixture, op pathOp) {
	const owner, stranger = 65534, 65533
	f.must(f.root.chown(".", owner, owner))
	f.must(f.root.chown(otherFile, owner, owner))
	f.make(dir, "dir", owner, owner)
	f.must(f.root.chmod("dir", 0o777))
	f.prepare(op, "dir/x")
	for _, c := range []struct {
		who  user
		mode uint32
	}{
		{f.as(owner, owner), 0o677},
		{f.as(stranger, owner), 0o767},
		{f.as(stranger, 1, owner), 0o767}, // a supplementary group
		{f.as(stranger, stranger), 0o776},
	} {
		f.must(f.root.chmod("dir", c.mode))
		f.want(op.do(c.who, "dir/x"), unix.EACCES)
		f.want(op.do(c.who, "dir/missing"), unix.EACCES)
	}
	// Root may search it, and so may the owner once allowed.
	f.must(f.root.chmod("dir", 0o700))
	if !op.creates {
		f.must(f.root.lchown("dir/x", owner, owner))
	}
	f.want(op.do(f.as(owner, owner), "dir/x"))
}

func checkReadOnly(f *fixture, op pathOp) {
	f.must(f.root.mkdir("ro", 0o755))
	f.must(f.root.create("ro/"+otherFile, 0o644))
	f.prepare(op, "ro/x")
	f.mountReadOnly("ro")
	// Both operands of link and rename must be on the same mount.
	inside := f.below("ro").root
	if !op.modifies {
		f.want(op.do(inside, "x"))
		return
	}
	f.want(op.do(inside, "x"), unix.EROFS)
	f.want(inside.touch("new", unix.O_CREAT|unix.O_WRONLY, 0o644), unix.EROFS)
}

// mountReadOnly makes a directory read-only by a mount over itself.
func (f *fixture) mountReadOnly(name string) {
	f.t.Helper()
	path := filepath.Join(f.dir, name)
	if err := unix.Mount(path, path, "", unix.MS_BIND, ""); err != nil {
		f.t.Fatalf("mount --bind: %v", err)
	}
	f.t.Cleanup(func() {
		// A helper may still have its working directory there.
		f.must(f.root.stat("."))
		if err := unix.Unmount(path, unix.MNT_DETACH); err != nil {
			f.t.Errorf("unmounting %s: %v", path, err)
		}
	})
	if err := unix.Mount("", path, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		f.t.Fatalf("mount -o remount,ro: %v", err)
	}
}

func checkExisting(f *fixture, op pathOp) {
	if !op.creates {
		return
	}
	for _, typ := range allTypes {
		f.must(typ.make(f.root, typ.name))
		before := f.lstat(typ.name)
		f.want(op.do(f.root, typ.name), unix.EEXIST)
		equal(f, typ.name+": attributes", f.lstat(typ.name), before)
	}
	f.want(op.do(f.root, "."), unix.EEXIST)
	f.want(op.do(f.root, ".."), unix.EEXIST)
}

// checkBadAddress passes addresses outside the process for each path.
func checkBadAddress(f *fixture) {
	fdcwd := unix.AT_FDCWD
	at := uintptr(fdcwd)
	for _, bad := range []uintptr{0, 0xdeadc0de000} {
		for _, c := range []struct {
			nr   uintptr
			args [6]uintptr
		}{
			{unix.SYS_OPENAT, [6]uintptr{at, bad, unix.O_RDONLY}},
			{unix.SYS_OPENAT, [6]uintptr{at, bad, unix.O_CREAT | unix.O_WRONLY, 0o644}},
			{unix.SYS_MKDIRAT, [6]uintptr{at, bad, 0o755}},
			{unix.SYS_MKNODAT, [6]uintptr{at, bad, unix.S_IFIFO | 0o644}},
			{unix.SYS_FCHMODAT, [6]uintptr{at, bad, 0o644}},
			{unix.SYS_FCHOWNAT, [6]uintptr{at, bad, 0, 0, 0}},
			{unix.SYS_FCHOWNAT, [6]uintptr{at, bad, 0, 0, unix.AT_SYMLINK_NOFOLLOW}},
			{unix.SYS_TRUNCATE, [6]uintptr{bad, 123}},
			{unix.SYS_UNLINKAT, [6]uintptr{at, bad, 0}},
			{unix.SYS_UNLINKAT, [6]uintptr{at, bad, unix.AT_REMOVEDIR}},
			{unix.SYS_LINKAT, [6]uintptr{at, bad, at, pathArg, 0}},
			{unix.SYS_LINKAT, [6]uintptr{at, pathArg, at, bad, 0}},
			{unix.SYS_SYMLINKAT, [6]uintptr{bad, at, pathArg}},
			{unix.SYS_SYMLINKAT, [6]uintptr{pathArg, at, bad}},
			{unix.SYS_RENAMEAT2, [6]uintptr{at, bad, at, pathArg, 0}},
			{unix.SYS_RENAMEAT2, [6]uintptr{at, pathArg, at, bad, 0}},
			{unix.SYS_NEWFSTATAT, [6]uintptr{at, bad, 0, 0}},
		} {
			f.want(f.root.do(call{Op: "raw", Path: otherFile, Nr: c.nr, Args: c.args}), unix.EFAULT)
		}
	}
	f.wantType(otherFile, unix.S_IFREG)
}
