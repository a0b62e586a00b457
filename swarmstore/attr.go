package swarmstore

import (
	"time"

	"swarmfs/swarmstore/content"
)

// Ino is an inode number: unique in a store, given once and never reused.
type Ino uint64

// Attr is what the store knows of a node: the fields of stat(2).
type Attr struct {
	Ino   Ino
	Mode  uint32 // file type and permission bits, as in stat(2)
	Nlink uint32
	UID   uint32
	GID   uint32
	Rdev  uint32 // device number of a character or block device, in Linux's encoding
	Size  int64  // bytes
	// Allocated is the number of bytes that are not known to be holes, at most Size.
	Allocated int64
	Atime     time.Time
	Mtime     time.Time
	Ctime     time.Time
	Btime     time.Time
	// Reference is the Swarm address of the sealed content of a regular file. While Sealed
	// is false newer bytes are staged and Reference is that of the content before them.
	Reference content.Reference
	Sealed    bool
	// HasXattrs tells whether the node has any extended attribute, so that a frontend can
	// answer most getxattr calls without asking again.
	HasXattrs bool
	// Version grows with every change of the node, in any process.
	Version int64
}

// IsDir reports whether the node is a directory.
func (a Attr) IsDir() bool { return a.Mode&ModeType == ModeDir }

// IsRegular reports whether the node is a regular file.
func (a Attr) IsRegular() bool { return a.Mode&ModeType == ModeRegular }

// File type bits of Attr.Mode, as in stat(2).
const (
	ModeType     uint32 = 0o170000
	ModeSocket   uint32 = 0o140000
	ModeSymlink  uint32 = 0o120000
	ModeRegular  uint32 = 0o100000
	ModeBlockDev uint32 = 0o060000
	ModeDir      uint32 = 0o040000
	ModeCharDev  uint32 = 0o020000
	ModeFIFO     uint32 = 0o010000

	ModeSetuid uint32 = 0o4000
	ModeSetgid uint32 = 0o2000
	ModeSticky uint32 = 0o1000
	modePerm   uint32 = 0o777
)

// SetAttr says which attributes Setattr changes: those that are not nil.
type SetAttr struct {
	Mode  *uint32 // permission bits including setuid, setgid and sticky; the type never changes
	UID   *uint32
	GID   *uint32
	Size  *int64
	Atime *time.Time
	Mtime *time.Time
	Ctime *time.Time // nil: now
	// KillPriv clears setuid, and setgid where the group may execute, and the file capability,
	// as a write or truncation by an unprivileged caller must.
	KillPriv bool
}

// NewNode says what Create, Mknod, Mkdir and Symlink make.
type NewNode struct {
	Mode   uint32 // type and permission bits, before the umask
	Umask  uint32 // applied unless the directory has a default ACL
	UID    uint32
	GID    uint32 // taken from the directory instead where that has setgid
	Rdev   uint32
	Target string // of a symlink
}

// DirEntry is one name of a directory with the attributes of what it names.
type DirEntry struct {
	Name string
	Attr Attr
}

// RenameFlags are those of renameat2(2).
type RenameFlags uint32

// The flags that a local Linux filesystem has.
const (
	RenameNoReplace RenameFlags = 1 << 0
	RenameExchange  RenameFlags = 1 << 1
	RenameWhiteout  RenameFlags = 1 << 2
)

// RenameOptions say how Rename goes about it.
type RenameOptions struct {
	Flags    RenameFlags
	UID, GID uint32 // owner of the whiteout that RenameWhiteout leaves behind
}

// Limits of names, as local Linux filesystems have them.
const (
	MaxNameLen    = 255      // bytes of one name
	MaxTargetLen  = 4095     // bytes of a symlink's target
	MaxXattrName  = 255      // bytes
	MaxXattrValue = 64 << 10 // bytes
	MaxLinks      = 65000
	MaxFileSize   = 1 << 60 // bytes: far from where offsets overflow
)
