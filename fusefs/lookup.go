package fusefs

import (
	"context"
	"errors"
	"math"

	"github.com/hanwen/go-fuse/v2/fuse"

	"swarmfs/swarmstore"
)

// Lookup resolves a name. That a name does not exist is an answer too, which the kernel caches: a node number of zero.
func (fs *fileSystem) Lookup(cancel <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	dir := fs.ino(in.NodeId)
	epoch := fs.xattrs.epoch()
	var a swarmstore.Attr
	err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) (err error) {
		a, err = fs.volume.Lookup(ctx, dir, name)
		return err
	})
	switch {
	case errors.Is(err, swarmstore.ErrNotExist):
		fs.names.saw(fs, dir, name, nil)
		out.SetEntryTimeout(fs.timeout)
		return fuse.OK
	case err != nil:
		return fs.status("lookup", dir, err)
	}
	fs.names.saw(fs, dir, name, &a)
	fs.xattrs.learn(&a, epoch)
	fs.fillEntry(out, &a)
	return fuse.OK
}

// Forget gives back references that entries brought. The number is 64 bits wide only in the protocol.
func (fs *fileSystem) Forget(nodeID, n uint64) {
	fs.volume.Forget(fs.ino(nodeID), int(min(n, math.MaxInt32)))
}

// Readlink returns a symbolic link's target, which the kernel caches: it never changes.
func (fs *fileSystem) Readlink(cancel <-chan struct{}, in *fuse.InHeader) ([]byte, fuse.Status) {
	ino := fs.ino(in.NodeId)
	var target string
	err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) (err error) {
		target, err = fs.volume.Readlink(ctx, ino)
		return err
	})
	if err != nil {
		return nil, fs.status("readlink", ino, err)
	}
	return []byte(target), fuse.OK
}
