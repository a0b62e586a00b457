package fusefs

import "github.com/hanwen/go-fuse/v2/fuse"

// measured counts the requests that it passes on. FORGET is left out: it is frequent, takes no
// time and cannot fail.
type measured struct {
	fuse.RawFileSystem
	m *metrics
}

func (f *measured) Lookup(cancel <-chan struct{}, in *fuse.InHeader, name string, out *fuse.EntryOut) (status fuse.Status) {
	defer f.m.end(opLookup, f.m.begin(), &status)
	return f.RawFileSystem.Lookup(cancel, in, name, out)
}

func (f *measured) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) (status fuse.Status) {
	defer f.m.end(opGetattr, f.m.begin(), &status)
	return f.RawFileSystem.GetAttr(cancel, in, out)
}

func (f *measured) Statx(cancel <-chan struct{}, in *fuse.StatxIn, out *fuse.StatxOut) (status fuse.Status) {
	defer f.m.end(opGetattr, f.m.begin(), &status)
	return f.RawFileSystem.Statx(cancel, in, out)
}

func (f *measured) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) (status fuse.Status) {
	defer f.m.end(opSetattr, f.m.begin(), &status)
	return f.RawFileSystem.SetAttr(cancel, in, out)
}

func (f *measured) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) (status fuse.Status) {
	defer f.m.end(opMknod, f.m.begin(), &status)
	return f.RawFileSystem.Mknod(cancel, in, name, out)
}

func (f *measured) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) (status fuse.Status) {
	defer f.m.end(opMkdir, f.m.begin(), &status)
	return f.RawFileSystem.Mkdir(cancel, in, name, out)
}

func (f *measured) Symlink(cancel <-chan struct{}, in *fuse.InHeader, target, name string, out *fuse.EntryOut) (status fuse.Status) {
	defer f.m.end(opSymlink, f.m.begin(), &status)
	return f.RawFileSystem.Symlink(cancel, in, target, name, out)
}

func (f *measured) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) (status fuse.Status) {
	defer f.m.end(opLink, f.m.begin(), &status)
	return f.RawFileSystem.Link(cancel, in, name, out)
}

func (f *measured) Unlink(cancel <-chan struct{}, in *fuse.InHeader, name string) (status fuse.Status) {
	defer f.m.end(opUnlink, f.m.begin(), &status)
	return f.RawFileSystem.Unlink(cancel, in, name)
}

func (f *measured) Rmdir(cancel <-chan struct{}, in *fuse.InHeader, name string) (status fuse.Status) {
	defer f.m.end(opRmdir, f.m.begin(), &status)
	return f.RawFileSystem.Rmdir(cancel, in, name)
}

func (f *measured) Rename(cancel <-chan struct{}, in *fuse.RenameIn, oldName, newName string) (status fuse.Status) {
	defer f.m.end(opRename, f.m.begin(), &status)
	return f.RawFileSystem.Rename(cancel, in, oldName, newName)
}

func (f *measured) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) (status fuse.Status) {
	defer f.m.end(opCreate, f.m.begin(), &status)
	return f.RawFileSystem.Create(cancel, in, name, out)
}

func (f *measured) Tmpfile(cancel <-chan struct{}, in *fuse.CreateIn, out *fuse.CreateOut) (status fuse.Status) {
	defer f.m.end(opTmpfile, f.m.begin(), &status)
	return f.RawFileSystem.Tmpfile(cancel, in, out)
}

func (f *measured) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) (status fuse.Status) {
	defer f.m.end(opOpen, f.m.begin(), &status)
	return f.RawFileSystem.Open(cancel, in, out)
}

func (f *measured) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) (status fuse.Status) {
	defer f.m.end(opFsync, f.m.begin(), &status)
	return f.RawFileSystem.Fsync(cancel, in)
}

func (f *measured) Fallocate(cancel <-chan struct{}, in *fuse.FallocateIn) (status fuse.Status) {
	defer f.m.end(opFallocate, f.m.begin(), &status)
	return f.RawFileSystem.Fallocate(cancel, in)
}

func (f *measured) Lseek(cancel <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) (status fuse.Status) {
	defer f.m.end(opLseek, f.m.begin(), &status)
	return f.RawFileSystem.Lseek(cancel, in, out)
}

func (f *measured) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) (status fuse.Status) {
	defer f.m.end(opOpendir, f.m.begin(), &status)
	return f.RawFileSystem.OpenDir(cancel, in, out)
}

func (f *measured) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) (status fuse.Status) {
	defer f.m.end(opReaddir, f.m.begin(), &status)
	return f.RawFileSystem.ReadDir(cancel, in, out)
}

func (f *measured) ReadDirPlus(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) (status fuse.Status) {
	defer f.m.end(opReaddirplus, f.m.begin(), &status)
	return f.RawFileSystem.ReadDirPlus(cancel, in, out)
}

func (f *measured) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) (status fuse.Status) {
	defer f.m.end(opFsyncdir, f.m.begin(), &status)
	return f.RawFileSystem.FsyncDir(cancel, in)
}

func (f *measured) StatFs(cancel <-chan struct{}, in *fuse.InHeader, out *fuse.StatfsOut) (status fuse.Status) {
	defer f.m.end(opStatfs, f.m.begin(), &status)
	return f.RawFileSystem.StatFs(cancel, in, out)
}

func (f *measured) SetXAttr(cancel <-chan struct{}, in *fuse.SetXAttrIn, name string, value []byte) (status fuse.Status) {
	defer f.m.end(opSetxattr, f.m.begin(), &status)
	return f.RawFileSystem.SetXAttr(cancel, in, name, value)
}

func (f *measured) RemoveXAttr(cancel <-chan struct{}, in *fuse.InHeader, name string) (status fuse.Status) {
	defer f.m.end(opRemovexattr, f.m.begin(), &status)
	return f.RawFileSystem.RemoveXAttr(cancel, in, name)
}

func (f *measured) Readlink(cancel <-chan struct{}, in *fuse.InHeader) (target []byte, status fuse.Status) {
	defer f.m.end(opReadlink, f.m.begin(), &status)
	return f.RawFileSystem.Readlink(cancel, in)
}

func (f *measured) GetXAttr(cancel <-chan struct{}, in *fuse.InHeader, name string, dest []byte) (size uint32, status fuse.Status) {
	defer f.m.end(opGetxattr, f.m.begin(), &status)
	return f.RawFileSystem.GetXAttr(cancel, in, name, dest)
}

func (f *measured) ListXAttr(cancel <-chan struct{}, in *fuse.InHeader, dest []byte) (size uint32, status fuse.Status) {
	defer f.m.end(opListxattr, f.m.begin(), &status)
	return f.RawFileSystem.ListXAttr(cancel, in, dest)
}

func (f *measured) CopyFileRange(cancel <-chan struct{}, in *fuse.CopyFileRangeIn) (n uint32, status fuse.Status) {
	defer f.m.end(opCopy, f.m.begin(), &status)
	return f.RawFileSystem.CopyFileRange(cancel, in)
}

func (f *measured) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (result fuse.ReadResult, status fuse.Status) {
	defer f.m.end(opRead, f.m.begin(), &status)
	result, status = f.RawFileSystem.Read(cancel, in, buf)
	if status.Ok() {
		f.m.read.Add(uint64(result.Size()))
	}
	return result, status
}

func (f *measured) Writev(cancel <-chan struct{}, in *fuse.WriteIn, data [][]byte) (n uint32, status fuse.Status) {
	defer f.m.end(opWrite, f.m.begin(), &status)
	n, status = f.RawFileSystem.Writev(cancel, in, data)
	f.m.written.Add(uint64(n))
	return n, status
}

func (f *measured) Release(cancel <-chan struct{}, in *fuse.ReleaseIn) {
	status := fuse.OK
	defer f.m.end(opRelease, f.m.begin(), &status)
	f.RawFileSystem.Release(cancel, in)
}
