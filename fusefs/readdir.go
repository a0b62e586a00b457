package fusefs

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// openDir is an open directory, from OPENDIR to RELEASEDIR.
type openDir struct {
	ino      swarmstore.Ino
	atimeDue atomic.Bool

	mu      sync.Mutex
	cookies cookies
}

// OpenDir opens a directory stream. The kernel is not told to cache the stream (FOPEN_CACHE_DIR): it would number
// positions for all handles together, and when its cache went away in the middle of a stream it would ask this handle
// for a position that another handle had given.
func (fs *fileSystem) OpenDir(_ <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	d := &openDir{ino: fs.ino(in.NodeId)}
	d.atimeDue.Store(fs.keepsAtime(in.Flags))
	out.Fh = fs.dirs.add(d)
	return fuse.OK
}

// ReleaseDir closes a directory stream.
func (fs *fileSystem) ReleaseDir(in *fuse.ReleaseIn) { fs.dirs.remove(in.Fh) }

// FsyncDir makes durable what was done in the directory.
func (fs *fileSystem) FsyncDir(_ <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	ino := fs.ino(in.NodeId)
	return fs.status("fsyncdir", ino, fs.volume.SyncDir(fs.ctx, ino))
}

// ReadDir lists names.
func (fs *fileSystem) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return fs.readDir(cancel, in, plainEntries{out})
}

// ReadDirPlus lists names and brings the nodes along, which spares a lookup each.
func (fs *fileSystem) ReadDirPlus(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	d, ok := fs.dirs.get(in.Fh)
	if !ok {
		return fuse.EBADF
	}
	return fs.readDir(cancel, in, entriesWithNodes{fs: fs, dir: d.ino, list: out, epoch: fs.xattrs.epoch()})
}

// direntWriter adds entries to a reply until it is full.
type direntWriter interface {
	add(e fuse.DirEntry, a *swarmstore.Attr) bool // a is nil for "." and ".."
	entrySize() int                               // of an entry with a name of usual length
}

// What an entry takes in a reply, for names of usual length. It decides how many are asked for at a time: they cannot be
// kept for the next reply, because their attributes would be out of date then.
const (
	usualEntrySize         = 24 + 16
	usualEntryWithNodeSize = usualEntrySize + 128
)

type plainEntries struct{ list *fuse.DirEntryList }

func (w plainEntries) entrySize() int { return usualEntrySize }

func (w plainEntries) add(e fuse.DirEntry, _ *swarmstore.Attr) bool { return w.list.AddDirEntry(e) }

type entriesWithNodes struct {
	fs    *fileSystem
	dir   swarmstore.Ino
	list  *fuse.DirEntryList
	epoch uint64
}

func (w entriesWithNodes) entrySize() int { return usualEntryWithNodeSize }

// add leaves the node out for "." and "..": the kernel does not count references to them.
func (w entriesWithNodes) add(e fuse.DirEntry, a *swarmstore.Attr) bool {
	out := w.list.AddDirLookupEntry(e)
	if out == nil {
		return false
	}
	if a != nil {
		w.fs.names.saw(w.fs, w.dir, e.Name, a)
		w.fs.xattrs.learn(a, w.epoch)
		w.fs.fillEntry(out, a)
	}
	return true
}

func (fs *fileSystem) readDir(cancel <-chan struct{}, in *fuse.ReadIn, out direntWriter) fuse.Status {
	d, ok := fs.dirs.get(in.Fh)
	if !ok {
		return fuse.EBADF
	}
	if d.atimeDue.CompareAndSwap(true, false) {
		fs.touchAtime(d.ino)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if in.Offset == 0 {
		d.cookies.reset()
	}
	at, full := fs.addDots(d, in.Offset, out)
	if full {
		return fuse.OK
	}
	limit := max(int(in.Size)/out.entrySize(), 1)
	for {
		after, ok := d.cookies.name(at)
		if !ok {
			return fuse.EINVAL // a position that this stream never gave
		}
		var entries []swarmstore.DirEntry
		err := fs.interruptible(cancel, in.Pid, func(ctx context.Context) (err error) {
			entries, err = fs.volume.ReadDir(ctx, d.ino, after, limit)
			return err
		})
		if err != nil {
			return fs.status("readdir", d.ino, err)
		}
		at, full = addEntries(&d.cookies, at, entries, out)
		if full || len(entries) < limit {
			return fuse.OK
		}
	}
}

// addDots adds "." and ".." as far as they come after position at. It returns the position reached.
func (fs *fileSystem) addDots(d *openDir, at uint64, out direntWriter) (reached uint64, full bool) {
	if at >= dots {
		return at, false
	}
	parent, err := fs.volume.Parent(fs.ctx, d.ino)
	if err != nil {
		parent = d.ino // removed meanwhile: ".." leads nowhere else
	}
	for i, e := range [dots]fuse.DirEntry{
		{Name: ".", Ino: uint64(d.ino), Mode: unix.S_IFDIR, Off: 1},
		{Name: "..", Ino: uint64(parent), Mode: unix.S_IFDIR, Off: 2},
	} {
		if uint64(i) < at {
			continue
		}
		if !out.add(e, nil) {
			return e.Off - 1, true
		}
	}
	return dots, false
}

// addEntries adds what follows position at, until the reply is full.
func addEntries(c *cookies, at uint64, entries []swarmstore.DirEntry, out direntWriter) (reached uint64, full bool) {
	for i := range entries {
		e := &entries[i]
		next, ok := c.after(at, e.Name)
		if !ok {
			return at, true
		}
		if !out.add(fuse.DirEntry{Name: e.Name, Ino: uint64(e.Attr.Ino), Mode: e.Attr.Mode, Off: next}, &e.Attr) {
			return at, true
		}
		at = next
	}
	return at, false
}
