package fusefs

import (
	"math"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"swarmfs/swarmstore"
)

// A node's number in the protocol is its inode number, except that the protocol wants 1 for the root of the mount. No
// other node of the volume can have the number 1: it is the first of a store, given to the root of its first volume.

func (fs *fileSystem) nodeID(ino swarmstore.Ino) uint64 {
	if ino == fs.root {
		return fuse.FUSE_ROOT_ID
	}
	return uint64(ino)
}

func (fs *fileSystem) ino(nodeID uint64) swarmstore.Ino {
	if nodeID == fuse.FUSE_ROOT_ID {
		return fs.root
	}
	return swarmstore.Ino(nodeID)
}

// generation tells nodes apart that have the same number one after the other. Inode numbers are never reused, so it is
// constant; the kernel insists on 0 for the root.
func generation(nodeID uint64) uint64 {
	if nodeID == fuse.FUSE_ROOT_ID {
		return 0
	}
	return 1
}

// fillEntry answers a request that gives the kernel a reference to the node, and counts that reference.
func (fs *fileSystem) fillEntry(out *fuse.EntryOut, a *swarmstore.Attr) {
	fs.volume.Retain(a.Ino, 1)
	out.NodeId = fs.nodeID(a.Ino)
	out.Generation = generation(out.NodeId)
	out.SetEntryTimeout(fs.timeout)
	out.SetAttrTimeout(fs.timeout)
	fs.fillAttr(&out.Attr, a)
}

// blockSize is st_blksize: what programs take as the size of a sensible small read. The
// kernel joins requests by itself.
const blockSize = 4096

// sectorSize is the unit of st_blocks, whatever the block size.
const sectorSize = 512

func (fs *fileSystem) fillAttr(out *fuse.Attr, a *swarmstore.Attr) {
	*out = fuse.Attr{
		Ino:       uint64(a.Ino),
		Size:      uint64(a.Size),
		Blocks:    sectors(a.Allocated),
		Atime:     uint64(a.Atime.Unix()),
		Atimensec: uint32(a.Atime.Nanosecond()),
		Mtime:     uint64(a.Mtime.Unix()),
		Mtimensec: uint32(a.Mtime.Nanosecond()),
		Ctime:     uint64(a.Ctime.Unix()),
		Ctimensec: uint32(a.Ctime.Nanosecond()),
		Mode:      fs.shownMode(a.Mode),
		Nlink:     a.Nlink,
		Owner:     fs.shownOwner(a),
		Rdev:      a.Rdev,
		Blksize:   blockSize,
	}
}

func (fs *fileSystem) shownOwner(a *swarmstore.Attr) fuse.Owner {
	o := fuse.Owner{Uid: a.UID, Gid: a.GID}
	if fs.options.UID != nil {
		o.Uid = *fs.options.UID
	}
	if fs.options.GID != nil {
		o.Gid = *fs.options.GID
	}
	return o
}

// shownMode applies the umask option as other FUSE filesystems do: the permission bits are those that the mask lacks.
func (fs *fileSystem) shownMode(mode uint32) uint32 {
	if fs.options.Umask == nil {
		return mode
	}
	return mode&swarmstore.ModeType | 0o777&^*fs.options.Umask
}

func sectors(bytes int64) uint64 {
	return (uint64(bytes) + sectorSize - 1) / sectorSize
}

// timeOf is the time of a pair of protocol fields; the seconds are signed although the field is not.
func timeOf(sec uint64, nsec uint32) time.Time {
	return time.Unix(int64(sec), int64(nsec))
}

// clampSize converts an offset or a length of the protocol. The kernel sends none that is out of range.
func clampSize(n uint64) int64 {
	return int64(min(n, math.MaxInt64))
}
