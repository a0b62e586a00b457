package fusefs

import (
	"github.com/hanwen/go-fuse/v2/fuse"

	"swarmfs/swarmstore"
)

// Rename moves a name, with the flags of renameat2(2). The kernel has refused combinations that make no sense.
func (fs *fileSystem) Rename(_ <-chan struct{}, in *fuse.RenameIn, oldName, newName string) fuse.Status {
	oldDir, newDir := fs.ino(in.NodeId), fs.ino(in.Newdir)
	err := fs.volume.Rename(fs.ctx, oldDir, oldName, newDir, newName, swarmstore.RenameOptions{
		Flags: swarmstore.RenameFlags(in.Flags), UID: in.Uid, GID: in.Gid,
	})
	if err == nil {
		fs.names.saw(fs, newDir, newName, nil)
	}
	return fs.status("rename", oldDir, err)
}
