package fusefs

import (
	"errors"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// newNode is what the caller of a request makes. The umask goes along unapplied, because a default ACL replaces it.
func newNode(in *fuse.InHeader, mode, umask uint32) swarmstore.NewNode {
	return swarmstore.NewNode{Mode: mode, Umask: umask, UID: in.Uid, GID: in.Gid}
}

// make creates a named node of any type and answers with it.
func (fs *fileSystem) make(op string, in *fuse.InHeader, name string, n swarmstore.NewNode, out *fuse.EntryOut) fuse.Status {
	dir := fs.ino(in.NodeId)
	epoch := fs.xattrs.epoch()
	a, err := fs.volume.Create(fs.ctx, dir, name, n)
	if err != nil {
		return fs.status(op, dir, err)
	}
	fs.names.saw(fs, dir, name, &a)
	fs.xattrs.learn(&a, epoch)
	fs.fillEntry(out, &a)
	return fuse.OK
}

// Mknod makes a pipe, a device, a socket, or a regular file without opening it.
func (fs *fileSystem) Mknod(_ <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	n := newNode(&in.InHeader, in.Mode, in.Umask)
	n.Rdev = in.Rdev
	return fs.make("mknod", &in.InHeader, name, n, out)
}

// Mkdir makes a directory.
func (fs *fileSystem) Mkdir(_ <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	mode := in.Mode&^swarmstore.ModeType | swarmstore.ModeDir
	return fs.make("mkdir", &in.InHeader, name, newNode(&in.InHeader, mode, in.Umask), out)
}

// Symlink makes a symbolic link.
func (fs *fileSystem) Symlink(_ <-chan struct{}, in *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	n := newNode(in, swarmstore.ModeSymlink|0o777, 0)
	n.Target = target
	return fs.make("symlink", in, name, n, out)
}

// Link gives a node one more name. A node made with O_TMPFILE gets its first one so.
func (fs *fileSystem) Link(_ <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	ino, dir := fs.ino(in.Oldnodeid), fs.ino(in.NodeId)
	a, err := fs.volume.Link(fs.ctx, ino, dir, name)
	if err != nil {
		return fs.status("link", ino, err)
	}
	fs.names.saw(fs, dir, name, &a)
	fs.fillEntry(out, &a)
	return fuse.OK
}

// Create makes a regular file and opens it.
//
// The kernel sends it only for a name that it believes not to exist. Where another process was faster, the caller
// without O_EXCL wants the other's file, but the kernel has not checked that it may have it: ESTALE makes the kernel
// look the name up again and open the file in the ordinary way.
func (fs *fileSystem) Create(_ <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	dir := fs.ino(in.NodeId)
	epoch := fs.xattrs.epoch()
	mode := in.Mode&^swarmstore.ModeType | swarmstore.ModeRegular
	a, err := fs.volume.Create(fs.ctx, dir, name, newNode(&in.InHeader, mode, in.Umask))
	switch {
	case errors.Is(err, swarmstore.ErrExist) && in.Flags&unix.O_EXCL == 0:
		return fuse.Status(unix.ESTALE)
	case err != nil:
		return fs.status("create", dir, err)
	}
	fs.names.saw(fs, dir, name, &a)
	return fs.openNew(&a, epoch, in.Flags, out)
}

// Tmpfile makes a regular file without a name and opens it.
func (fs *fileSystem) Tmpfile(_ <-chan struct{}, in *fuse.CreateIn, out *fuse.CreateOut) fuse.Status {
	dir := fs.ino(in.NodeId)
	epoch := fs.xattrs.epoch()
	mode := in.Mode&^swarmstore.ModeType | swarmstore.ModeRegular
	a, err := fs.volume.CreateTemp(fs.ctx, dir, newNode(&in.InHeader, mode, in.Umask))
	if err != nil {
		return fs.status("tmpfile", dir, err)
	}
	return fs.openNew(&a, epoch, in.Flags, out)
}

// openNew answers with a node just made and a handle to it.
func (fs *fileSystem) openNew(a *swarmstore.Attr, epoch uint64, flags uint32, out *fuse.CreateOut) fuse.Status {
	fs.xattrs.learn(a, epoch)
	fs.fillEntry(&out.EntryOut, a)
	if status := fs.open(fs.ctx, a.Ino, flags, &out.OpenOut); !status.Ok() {
		fs.volume.Forget(a.Ino, 1) // the kernel gets an error and no entry
		return status
	}
	return fuse.OK
}
