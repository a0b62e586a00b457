package fusefs

import "github.com/hanwen/go-fuse/v2/fuse"

// Unlink removes a name. The node stays while the kernel holds references to it, which Retain has counted.
func (fs *fileSystem) Unlink(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	dir := fs.ino(in.NodeId)
	_, err := fs.volume.Unlink(fs.ctx, dir, name)
	return fs.status("unlink", dir, err)
}

// Rmdir removes an empty directory.
func (fs *fileSystem) Rmdir(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	dir := fs.ino(in.NodeId)
	_, err := fs.volume.Rmdir(fs.ctx, dir, name)
	return fs.status("rmdir", dir, err)
}
