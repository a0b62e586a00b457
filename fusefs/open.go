package fusefs

import (
	"context"
	"log/slog"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// Open opens a regular file; the kernel has checked the permissions. O_TRUNC does not come along but as a SETATTR
// after it: with CAP_ATOMIC_O_TRUNC the file would be empty before the kernel finds that it is a running program.
func (fs *fileSystem) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	ino := fs.ino(in.NodeId)
	var status fuse.Status
	err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) error {
		status = fs.open(ctx, ino, in.Flags, out)
		if status == fuse.EINTR {
			return context.Canceled
		}
		return nil
	})
	if err != nil {
		return fs.status("open", ino, err)
	}
	return status
}

// open makes a handle.
func (fs *fileSystem) open(ctx context.Context, ino swarmstore.Ino, flags uint32, out *fuse.OpenOut) fuse.Status {
	file, err := fs.volume.OpenFile(ctx, ino)
	if err != nil {
		return fs.status("open", ino, err)
	}
	f := &openFile{ino: ino, file: file, writable: flags&unix.O_ACCMODE != unix.O_RDONLY}
	f.atimeDue.Store(fs.keepsAtime(flags))
	fs.nodes.add(f)
	out.Fh = fs.files.add(f)
	out.OpenFlags = fs.openFlags(ino, file.ContentVersion(), flags)
	return fuse.OK
}

// openFlags decides what becomes of the kernel's cached pages. They stay where they show the content as it is. O_DIRECT
// passes them by, which lets several threads write at a time; kernels that could not map such a file
// would not keep both views of it in step either, so they get the ordinary treatment.
func (fs *fileSystem) openFlags(ino swarmstore.Ino, version uint64, flags uint32) (open uint32) {
	if flags&unix.O_DIRECT != 0 && fs.server.KernelSettings().Flags64()&fuse.CAP_DIRECT_IO_ALLOW_MMAP != 0 {
		open |= fuse.FOPEN_DIRECT_IO | fuse.FOPEN_PARALLEL_DIRECT_WRITES
	}
	if last, known := fs.cached.Get(ino); known && last == version {
		open |= fuse.FOPEN_KEEP_CACHE
	} else {
		fs.cached.Add(ino, version)
	}
	return open
}

// Flush is not wanted at each close(2): the kernel writes dirty pages back before it asks, and Release, which follows at
// once, does the rest. Answering ENOSYS tells the kernel not to ask again, which spares every close a round trip.
func (fs *fileSystem) Flush(<-chan struct{}, *fuse.FlushIn) fuse.Status { return fuse.ENOSYS }

// Release closes a handle after its last user has. Nobody waits for it, so an error can only be logged;
// errors of writing have been reported by the writes, those of durability are reported by fsync.
func (fs *fileSystem) Release(_ <-chan struct{}, in *fuse.ReleaseIn) {
	f, ok := fs.files.remove(in.Fh)
	if !ok {
		return
	}
	fs.nodes.remove(f)
	if err := f.close(fs.ctx); err != nil {
		fs.logger.Error("closing a file", slog.Uint64("ino", uint64(f.ino)), slog.Any("error", err))
	}
}
