package fusefs

import (
	"context"

	"github.com/hanwen/go-fuse/v2/fuse"

	"swarmfs/swarmstore"
)

// StatFs answers with the figures of the disk under the store, which is what writing will run out of first.
func (fs *fileSystem) StatFs(cancel <-chan struct{}, in *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	var s swarmstore.Statfs
	err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) (err error) {
		s, err = fs.volume.Store().Statfs(ctx)
		return err
	})
	if err != nil {
		return fs.status("statfs", fs.ino(in.NodeId), err)
	}
	*out = fuse.StatfsOut{
		Blocks:  s.Blocks,
		Bfree:   s.Free,
		Bavail:  s.Available,
		Files:   s.Files,
		Ffree:   s.FilesFree,
		Bsize:   uint32(s.BlockSize),
		Frsize:  uint32(s.BlockSize),
		NameLen: swarmstore.MaxNameLen,
	}
	return fuse.OK
}
