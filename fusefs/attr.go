package fusefs

import (
	"context"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// GetAttr answers stat(2).
func (fs *fileSystem) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	a, status := fs.getattr(cancel, &in.InHeader)
	if !status.Ok() {
		return status
	}
	out.SetTimeout(fs.timeout)
	fs.fillAttr(&out.Attr, &a)
	return fuse.OK
}

// Statx answers statx(2) where it asks for more than stat(2) has: the time of birth.
func (fs *fileSystem) Statx(cancel <-chan struct{}, in *fuse.StatxIn, out *fuse.StatxOut) fuse.Status {
	a, status := fs.getattr(cancel, &in.InHeader)
	if !status.Ok() {
		return status
	}
	out.SetTimeout(fs.timeout)
	owner := fs.shownOwner(&a)
	out.Statx = fuse.Statx{
		Mask:      unix.STATX_BASIC_STATS | unix.STATX_BTIME,
		Blksize:   blockSize,
		Nlink:     a.Nlink,
		Uid:       owner.Uid,
		Gid:       owner.Gid,
		Mode:      uint16(fs.shownMode(a.Mode)),
		Ino:       uint64(a.Ino),
		Size:      uint64(a.Size),
		Blocks:    sectors(a.Allocated),
		Atime:     statxTime(a.Atime),
		Btime:     statxTime(a.Btime),
		Ctime:     statxTime(a.Ctime),
		Mtime:     statxTime(a.Mtime),
		RdevMajor: unix.Major(uint64(a.Rdev)),
		RdevMinor: unix.Minor(uint64(a.Rdev)),
	}
	return fuse.OK
}

func statxTime(t time.Time) fuse.SxTime {
	return fuse.SxTime{Sec: uint64(t.Unix()), Nsec: uint32(t.Nanosecond())}
}

func (fs *fileSystem) getattr(cancel <-chan struct{}, in *fuse.InHeader) (swarmstore.Attr, fuse.Status) {
	ino := fs.ino(in.NodeId)
	epoch := fs.xattrs.epoch()
	var a swarmstore.Attr
	err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) (err error) {
		a, err = fs.volume.Getattr(ctx, ino)
		return err
	})
	if err != nil {
		return a, fs.status("getattr", ino, err)
	}
	fs.xattrs.learn(&a, epoch)
	return a, fuse.OK
}

// SetAttr answers chmod, chown, truncate and utimensat, and takes the times that the
// kernel keeps itself while it collects writes.
func (fs *fileSystem) SetAttr(_ <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	ino := fs.ino(in.NodeId)
	a, err := fs.volume.Setattr(fs.ctx, ino, setAttr(in))
	if err != nil {
		return fs.status("setattr", ino, err)
	}
	out.SetTimeout(fs.timeout)
	fs.fillAttr(&out.Attr, &a)
	return fuse.OK
}

// setAttr translates the request.
func setAttr(in *fuse.SetAttrIn) swarmstore.SetAttr {
	set := swarmstore.SetAttr{KillPriv: in.Valid&fuse.FATTR_KILL_SUIDGID != 0 || changesNothing(in.Valid)}
	if mode, ok := in.GetMode(); ok {
		set.Mode = &mode
	}
	if uid, ok := in.GetUID(); ok {
		set.UID = &uid
	}
	if gid, ok := in.GetGID(); ok {
		set.GID = &gid
	}
	if n, ok := in.GetSize(); ok {
		size := clampSize(n)
		set.Size = &size
	}
	now := time.Now() // one clock reading, so that atime and mtime set to "now" are equal
	set.Atime = timeToSet(in.Valid, fuse.FATTR_ATIME, fuse.FATTR_ATIME_NOW, in.Atime, in.Atimensec, now)
	set.Mtime = timeToSet(in.Valid, fuse.FATTR_MTIME, fuse.FATTR_MTIME_NOW, in.Mtime, in.Mtimensec, now)
	set.Ctime = timeToSet(in.Valid, fuse.FATTR_CTIME, 0, in.Ctime, in.Ctimensec, now)
	return set
}

// changesNothing tells a chown(2) with neither owner nor group, which still clears setuid and setgid.
func changesNothing(valid uint32) bool {
	return valid&^(fuse.FATTR_CTIME|fuse.FATTR_FH|fuse.FATTR_LOCKOWNER) == 0
}

// timeToSet returns the time that the flags ask for, or nil.
func timeToSet(valid, given, isNow uint32, sec uint64, nsec uint32, now time.Time) *time.Time {
	if valid&given == 0 {
		return nil
	}
	t := timeOf(sec, nsec)
	if valid&isNow != 0 {
		t = now
	}
	return &t
}

// relatimeAge is how old an access time may get before a read renews it although nothing was written since.
const relatimeAge = 24 * time.Hour

// touchAtime renews a node's access time by the relatime rule. It is called before the first read of a handle is
// answered: after that answer the kernel asks for the time again. What the kernel reads from its own cache it does
// not tell, so a file that stays cached keeps its time.
func (fs *fileSystem) touchAtime(ino swarmstore.Ino) {
	a, err := fs.volume.Getattr(fs.ctx, ino)
	if err != nil {
		return // the read itself tells the caller
	}
	now := time.Now()
	if a.Atime.After(a.Mtime) && a.Atime.After(a.Ctime) && now.Sub(a.Atime) < relatimeAge {
		return
	}
	if _, err := fs.volume.Setattr(fs.ctx, ino, swarmstore.SetAttr{Atime: &now, Ctime: &a.Ctime}); err != nil {
		fs.status("atime", ino, err)
	}
}

// keepsAtime reports whether a handle opened with these flags has to look after the access time.
func (fs *fileSystem) keepsAtime(flags uint32) bool {
	return !fs.options.NoAtime && !fs.options.ReadOnly && flags&unix.O_NOATIME == 0
}
