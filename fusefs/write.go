package fusefs

import (
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// Write writes one piece.
func (fs *fileSystem) Write(cancel <-chan struct{}, in *fuse.WriteIn, data []byte) (uint32, fuse.Status) {
	return fs.Writev(cancel, in, [][]byte{data})
}

// Writev writes one range that comes in pieces.
func (fs *fileSystem) Writev(_ <-chan struct{}, in *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	f, ok := fs.files.get(in.Fh)
	if !ok {
		return 0, fuse.EBADF
	}
	if in.WriteFlags&fuse.WRITE_KILL_SUIDGID != 0 {
		if err := fs.killPriv(f.ino); err != nil {
			return 0, fs.status("write", f.ino, err)
		}
	}
	offset := clampSize(in.Offset)
	var n int
	var err error
	if len(data) == 1 {
		n, err = f.file.WriteAt(fs.ctx, data[0], offset)
	} else {
		n, err = f.file.WriteAtv(fs.ctx, data, offset)
	}
	if err != nil {
		return 0, fs.status("write", f.ino, err)
	}
	return uint32(n), fuse.OK
}

// killPriv clears setuid, setgid and the file capability where there are any. The kernel asks for it with every
// write of an unprivileged process, whatever the file.
func (fs *fileSystem) killPriv(ino swarmstore.Ino) error {
	a, err := fs.volume.Getattr(fs.ctx, ino)
	if err != nil || a.Mode&(swarmstore.ModeSetuid|swarmstore.ModeSetgid) == 0 && !a.HasXattrs {
		return err
	}
	_, err = fs.volume.Setattr(fs.ctx, ino, swarmstore.SetAttr{KillPriv: true})
	return err
}

// Fsync makes a file durable on the local disk. The kernel has written dirty pages and times back before.
func (fs *fileSystem) Fsync(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	f, ok := fs.files.get(in.Fh)
	if !ok {
		return fuse.EBADF
	}
	const dataOnly = 1
	return fs.status("fsync", f.ino, f.file.Sync(fs.ctx, in.FsyncFlags&dataOnly != 0))
}

// Fallocate reserves, punches holes and zeroes ranges. Collapsing and inserting ranges are for filesystems
// that can move blocks.
func (fs *fileSystem) Fallocate(_ <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	f, ok := fs.files.get(in.Fh)
	if !ok {
		return fuse.EBADF
	}
	offset, length := clampSize(in.Offset), clampSize(in.Length)
	keepSize := in.Mode&unix.FALLOC_FL_KEEP_SIZE != 0
	var err error
	switch in.Mode &^ unix.FALLOC_FL_KEEP_SIZE {
	case 0:
		err = f.file.Allocate(fs.ctx, offset, length, keepSize)
	case unix.FALLOC_FL_PUNCH_HOLE, unix.FALLOC_FL_ZERO_RANGE:
		err = f.file.PunchHole(fs.ctx, offset, length, keepSize)
	default:
		return fuse.Status(unix.EOPNOTSUPP)
	}
	if err == nil && in.Uid != 0 {
		// The kernel leaves it to us, and does not say whether the caller may keep setuid; only root may be sure to.
		err = fs.killPriv(f.ino)
	}
	return fs.status("fallocate", f.ino, err)
}

// maxCopy bounds one copy_file_range reply, whose count has 32 bits. Callers repeat short copies.
const maxCopy = 1 << 30

// CopyFileRange copies inside the store, where blocks can be shared. The kernel has written dirty pages of both files
// back. The 64-bit form of the request is unknown to go-fuse, and the kernel falls back to this one.
func (fs *fileSystem) CopyFileRange(_ <-chan struct{}, in *fuse.CopyFileRangeIn) (uint32, fuse.Status) {
	src, ok := fs.files.get(in.FhIn)
	if !ok {
		return 0, fuse.EBADF
	}
	dst, ok := fs.files.get(in.FhOut)
	if !ok {
		return 0, fuse.EBADF
	}
	length := int64(min(in.Len, maxCopy))
	n, err := src.file.CopyRange(fs.ctx, dst.file, clampSize(in.OffIn), clampSize(in.OffOut), length)
	if err != nil && n == 0 {
		return 0, fs.status("copy_file_range", dst.ino, err)
	}
	return uint32(n), fuse.OK
}
