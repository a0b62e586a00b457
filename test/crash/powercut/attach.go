package powercut

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

const imageName = "disk"

// Attachment is a disk that the kernel sees as a block device.
type Attachment struct {
	Device string // such as /dev/loop3

	server *fuse.Server
}

// Attach makes the disk a block device; dir is an empty directory that it may
// mount on. Only root can.
func (d *Disk) Attach(dir string) (*Attachment, error) {
	root := &fs.Inode{}
	opts := &fs.Options{
		MountOptions: fuse.MountOptions{FsName: "powercut", Name: "powercut", MaxWrite: 1 << 20, DirectMountStrict: true},
		OnAdd: func(ctx context.Context) {
			root.AddChild(imageName, root.NewPersistentInode(ctx, &diskNode{disk: d}, fs.StableAttr{Mode: syscall.S_IFREG}), false)
		},
	}
	server, err := fs.Mount(dir, root, opts)
	if err != nil {
		return nil, fmt.Errorf("serving the disk at %s: %w", dir, err)
	}
	// The kernel caches reads of the file but writes through to this process.
	out, err := exec.Command("losetup", "--find", "--show", filepath.Join(dir, imageName)).CombinedOutput()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("losetup: %w: %s", err, out), server.Unmount())
	}
	return &Attachment{Device: strings.TrimSpace(string(out)), server: server}, nil
}

// Detach takes the block device away again. Nothing is mounted from it any more.
func (a *Attachment) Detach() error {
	out, err := exec.Command("losetup", "--detach", a.Device).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("losetup --detach %s: %w: %s", a.Device, err, out)
	}
	return errors.Join(err, a.server.Unmount())
}

// diskNode is the file under the loop device.
type diskNode struct {
	fs.Inode
	disk *Disk
}

var (
	_ fs.NodeGetattrer = (*diskNode)(nil)
	_ fs.NodeSetattrer = (*diskNode)(nil)
	_ fs.NodeOpener    = (*diskNode)(nil)
	_ fs.NodeReader    = (*diskNode)(nil)
	_ fs.NodeWriter    = (*diskNode)(nil)
	_ fs.NodeFsyncer   = (*diskNode)(nil)
)

func (n *diskNode) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = syscall.S_IFREG | 0o600
	out.Size = uint64(n.disk.Size())
	return 0
}

// Setattr accepts the new times that the kernel sends along with writes.
func (n *diskNode) Setattr(ctx context.Context, f fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if _, ok := in.GetSize(); ok {
		return syscall.EPERM
	}
	return n.Getattr(ctx, f, out)
}

func (n *diskNode) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, fuse.FOPEN_KEEP_CACHE, 0
}

func (n *diskNode) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	got, err := n.disk.ReadAt(dest, off)
	if err != nil {
		return fuse.ReadResultData(nil), 0
	}
	return fuse.ReadResultData(dest[:got]), 0
}

func (n *diskNode) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	written, err := n.disk.WriteAt(data, off)
	if err != nil {
		return 0, syscall.ENOSPC
	}
	return uint32(written), 0
}

// Fsync is what the loop device makes of a flush of the disk's cache.
func (n *diskNode) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	n.disk.Flush()
	return 0
}

// MountImage mounts the ext4 file system of a device or an image file at dir.
// It replays the journal as the kernel does after a power cut.
func MountImage(source, dir string) error {
	args := []string{"-t", "ext4", source, dir}
	if info, err := os.Stat(source); err == nil && info.Mode().IsRegular() {
		args = append([]string{"-o", "loop"}, args...)
	}
	if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("mount %s: %w: %s", source, err, out)
	}
	return nil
}

// Unmount unmounts dir.
func Unmount(dir string) error {
	if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
		return fmt.Errorf("umount %s: %w: %s", dir, err, out)
	}
	return nil
}
