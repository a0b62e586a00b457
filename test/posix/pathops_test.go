package posix

import (
	"testing"

	"golang.org/x/sys/unix"
)

// A pathOp is one use of one path argument of one system call. Everything that
// POSIX says of path resolution holds for all of them alike.
type pathOp struct {
	name string
	do   func(u user, path string) result
	// object is what the operation wants to find at the path. Unused if it
	// creates.
	object   fileType
	creates  bool // it fails with EEXIST if the path exists
	follows  bool // it acts on what a symbolic link at the end points to
	modifies bool // it fails on a read-only file system
}

const (
	otherFile = "other-file" // the second operand of link and rename; exists
	otherName = "other-name" // another, which does not
)

var pathOps = []pathOp{
	{name: "mkdir", creates: true, modifies: true, do: func(u user, p string) result { return u.mkdir(p, 0o755) }},
	{name: "mkfifo", creates: true, modifies: true, do: func(u user, p string) result { return u.mkfifo(p, 0o644) }},
	{name: "mknod regular", creates: true, modifies: true, do: func(u user, p string) result { return u.mknod(p, unix.S_IFREG|0o644, 0) }},
	{name: "mknod fifo", creates: true, modifies: true, do: func(u user, p string) result { return u.mknod(p, unix.S_IFIFO|0o644, 0) }},
	{name: "symlink", creates: true, modifies: true, do: func(u user, p string) result { return u.symlink("test", p) }},
	{name: "link to", creates: true, modifies: true, do: func(u user, p string) result { return u.link(otherFile, p) }},
	{name: "open exclusively", creates: true, modifies: true, do: func(u user, p string) result { return u.create(p, 0o644) }},

	{name: "link from", object: regular, modifies: true, do: func(u user, p string) result { return u.link(p, otherName) }},
	{name: "rename from", object: regular, modifies: true, do: func(u user, p string) result { return u.rename(p, otherName) }},
	{name: "rename to", object: regular, modifies: true, do: func(u user, p string) result { return u.rename(otherFile, p) }},
	{name: "unlink", object: regular, modifies: true, do: func(u user, p string) result { return u.unlink(p) }},
	{name: "rmdir", object: dir, modifies: true, do: func(u user, p string) result { return u.rmdir(p) }},
	{name: "chmod", object: regular, follows: true, modifies: true, do: func(u user, p string) result { return u.chmod(p, 0o620) }},
	{name: "chown", object: regular, follows: true, modifies: true, do: func(u user, p string) result { return u.chown(p, -1, -1) }},
	{name: "lchown", object: regular, modifies: true, do: func(u user, p string) result { return u.lchown(p, -1, -1) }},
	{name: "truncate", object: regular, follows: true, modifies: true, do: func(u user, p string) result { return u.truncate(p, 123) }},
	{name: "utimensat", object: regular, follows: true, modifies: true, do: func(u user, p string) result { return u.utimensat(p, 0) }},
	{name: "utimensat nofollow", object: regular, modifies: true, do: func(u user, p string) result {
		return u.utimensat(p, unix.AT_SYMLINK_NOFOLLOW)
	}},
	{name: "open to read", object: regular, follows: true, do: func(u user, p string) result { return u.touch(p, unix.O_RDONLY, 0) }},
	{name: "open to write", object: regular, follows: true, modifies: true, do: func(u user, p string) result { return u.touch(p, unix.O_WRONLY, 0) }},
	{name: "stat", object: regular, follows: true, do: func(u user, p string) result { return u.stat(p) }},
	{name: "lstat", object: regular, do: func(u user, p string) result { return u.lstat(p) }},
	{name: "readlink", object: symlink, do: func(u user, p string) result { return u.readlink(p) }},
}

// pathFixture makes a fixture with the second operand in place.
func (s *suite) pathFixture(t *testing.T) *fixture {
	t.Helper()
	f := s.fixture(t)
	f.must(f.root.create(otherFile, 0o644))
	return f
}

// prepare creates what an operation needs to find at the path.
func (f *fixture) prepare(op pathOp, path string) {
	f.t.Helper()
	if !op.creates {
		f.must(op.object.make(f.root, path))
	}
}
