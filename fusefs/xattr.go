package fusefs

import (
	"context"
	"strings"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

const (
	trustedPrefix   = "trusted."
	accessACLName   = "system.posix_acl_access"
	computedPrefix  = "swarm." // answered by the store for every node, listed for none
	userSwarmPrefix = "user.swarm."
)

// GetXAttr returns an extended attribute's value. Most calls ask for ACLs that are not there, one for each file that
// ls -l lists; those are answered from what lookups have told.
func (fs *fileSystem) GetXAttr(cancel <-chan struct{}, in *fuse.InHeader, name string, dest []byte) (uint32, fuse.Status) {
	ino := fs.ino(in.NodeId)
	if !isComputed(name) && fs.xattrs.knownNone(ino) {
		if err := swarmstore.CheckXattrName(name); err != nil {
			return 0, fs.status("getxattr", ino, err)
		}
		return 0, fuse.ENODATA
	}
	var value []byte
	err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) (err error) {
		value, err = fs.volume.Getxattr(ctx, ino, name)
		return err
	})
	if err != nil {
		return 0, fs.status("getxattr", ino, err)
	}
	return fillXattr(dest, value)
}

// isComputed tells attributes that exist without being stored.
func isComputed(name string) bool {
	return strings.HasPrefix(name, computedPrefix) || strings.HasPrefix(name, userSwarmPrefix)
}

// ListXAttr returns the names, each ended by a zero byte. Those in the trusted namespace are for root only.
func (fs *fileSystem) ListXAttr(cancel <-chan struct{}, in *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	ino := fs.ino(in.NodeId)
	if fs.xattrs.knownNone(ino) {
		return 0, fuse.OK
	}
	var names []string
	err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) (err error) {
		names, err = fs.volume.Listxattr(ctx, ino)
		return err
	})
	if err != nil {
		return 0, fs.status("listxattr", ino, err)
	}
	return fillXattr(dest, joinNames(names, in.Uid == 0))
}

func joinNames(names []string, trusted bool) []byte {
	var list []byte
	for _, name := range names {
		if !trusted && strings.HasPrefix(name, trustedPrefix) {
			continue
		}
		list = append(list, name...)
		list = append(list, 0)
	}
	return list
}

// fillXattr copies what was asked for, or tells the size needed: that is how callers ask for the size, too.
func fillXattr(dest, value []byte) (uint32, fuse.Status) {
	if len(dest) < len(value) {
		return uint32(len(value)), fuse.ERANGE
	}
	return uint32(copy(dest, value)), fuse.OK
}

// SetXAttr sets an extended attribute; for an ACL that includes the mode that goes with it.
func (fs *fileSystem) SetXAttr(_ <-chan struct{}, in *fuse.SetXAttrIn, name string, value []byte) fuse.Status {
	ino := fs.ino(in.NodeId)
	err := fs.volume.Setxattr(fs.ctx, ino, name, value, int(in.Flags))
	if err == nil && name == accessACLName && in.SetXAttrFlags&fuse.SETXATTR_ACL_KILL_SGID != 0 {
		err = fs.clearSetgid(ino)
	}
	fs.xattrs.forget(ino)
	return fs.status("setxattr", ino, err)
}

// clearSetgid does what chmod does by somebody who is not in the file's group.
func (fs *fileSystem) clearSetgid(ino swarmstore.Ino) error {
	a, err := fs.volume.Getattr(fs.ctx, ino)
	if err != nil {
		return err
	}
	const permissions = unix.S_ISUID | unix.S_ISGID | unix.S_ISVTX | 0o777
	mode := a.Mode & permissions &^ swarmstore.ModeSetgid
	_, err = fs.volume.Setattr(fs.ctx, ino, swarmstore.SetAttr{Mode: &mode})
	return err
}

// RemoveXAttr removes an extended attribute.
func (fs *fileSystem) RemoveXAttr(_ <-chan struct{}, in *fuse.InHeader, name string) fuse.Status {
	ino := fs.ino(in.NodeId)
	err := fs.volume.Removexattr(fs.ctx, ino, name)
	fs.xattrs.forget(ino)
	return fs.status("removexattr", ino, err)
}
