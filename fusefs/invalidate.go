package fusefs

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"swarmfs/swarmstore"
)

// watcher announces to the kernel what other processes change.
//
// While the kernel collects writes, it owns the size and the times of a regular file that it knows and takes neither
// from us. So a file that others have changed and nobody uses is dropped altogether: the next lookup brings a
// new node with the right size. One that is open can be made longer, by giving the kernel its last page. It
// cannot be made shorter: until its last user has closed it, reads past the new end give zeros. That is the one
// thing about which a mount lags behind other processes.
type watcher struct {
	fs      *fileSystem
	changes chan []swarmstore.Change // nil: of unknown extent
	// outdated are the files that the kernel must drop as soon as they are not in use any more, with
	// the number of times that it did not although no handle was left.
	outdated map[swarmstore.Ino]int
}

// dropInterval is how often the kernel is asked to drop outdated files that were in use the last time. After dropAttempts
// it is taken to have them under a name that only it remembers, which the timeout will end.
const (
	dropInterval = 50 * time.Millisecond
	dropAttempts = 40
)

// watch follows the volume until ctx ends.
func (fs *fileSystem) watch(ctx context.Context) {
	w := watcher{fs: fs, changes: make(chan []swarmstore.Change), outdated: make(map[swarmstore.Ino]int)}
	go w.announceAll(ctx)
	err := fs.volume.Watch(ctx, func(changes []swarmstore.Change, lost bool) {
		switch {
		case lost:
			changes = nil
		case len(changes) == 0:
			return
		}
		select {
		case w.changes <- changes:
		case <-ctx.Done():
		}
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		fs.logger.Error("watching for changes of other processes; they are seen only after a delay from now on",
			slog.Duration("delay", fs.timeout), slog.Any("error", err))
	}
}

// announceAll is the one goroutine that talks to the kernel unasked.
func (w *watcher) announceAll(ctx context.Context) {
	select {
	case <-w.fs.serving:
	case <-ctx.Done():
		return
	}
	retry := time.NewTicker(dropInterval)
	defer retry.Stop()
	for {
		select {
		case changes := <-w.changes:
			if changes == nil {
				w.forgetEverything()
			}
			for _, c := range changes {
				w.announce(c)
			}
		case <-retry.C:
			w.dropOutdated()
		case <-ctx.Done():
			return
		}
	}
}

// announce passes one change on. Most are of nodes that the kernel does not know; it says ENOENT then.
func (w *watcher) announce(c swarmstore.Change) {
	if c.Name != "" {
		w.announceEntry(c)
	} else {
		w.announceNode(c)
	}
}

// announceEntry drops a name. For one that is gone the kernel is told what it was, so that a removed working directory is
// known to be removed and watchers of the directory hear of it.
func (w *watcher) announceEntry(c swarmstore.Change) {
	w.fs.xattrs.forget(c.Ino)
	dir := w.fs.nodeID(c.Dir)
	_, err := w.fs.volume.Lookup(w.fs.ctx, c.Dir, c.Name)
	if errors.Is(err, swarmstore.ErrNotExist) && c.Ino != 0 {
		if w.fs.server.DeleteNotify(dir, w.fs.nodeID(c.Ino), c.Name).Ok() {
			w.fs.server.InodeNotify(dir, attributesOnly, 0)
			return
		}
		// The kernel knows the name for another node, or does not know it at all.
	}
	w.fs.server.EntryNotify(dir, c.Name)
	w.fs.server.InodeNotify(dir, attributesOnly, 0)
}

// attributesOnly is the offset that makes InodeNotify leave the cached pages alone.
const attributesOnly = -1

// announceNode has the kernel read a node anew.
func (w *watcher) announceNode(c swarmstore.Change) {
	w.fs.xattrs.forget(c.Ino)
	offset := int64(attributesOnly)
	if c.Content {
		offset = 0
		w.fs.cached.Remove(c.Ino)
	}
	if !w.fs.server.InodeNotify(w.fs.nodeID(c.Ino), offset, 0).Ok() {
		return // not in the kernel's memory
	}
	if !w.fs.options.Writeback || !w.isRegular(c.Ino) {
		return
	}
	if c.Content && w.fs.nodes.count(c.Ino).all > 0 {
		if err := w.storeTail(c.Ino); err != nil {
			w.fs.status("announcing growth", c.Ino, err)
		}
	}
	if !w.drop(c.Ino) {
		w.outdated[c.Ino] = 0
	}
}

func (w *watcher) isRegular(ino swarmstore.Ino) bool {
	a, err := w.fs.volume.Getattr(w.fs.ctx, ino)
	return err == nil && a.IsRegular()
}

// drop makes the kernel forget a file that nobody uses, and reports whether it did.
func (w *watcher) drop(ino swarmstore.Ino) bool {
	node := w.fs.nodeID(ino)
	if !w.fs.names.needed {
		w.fs.server.PruneNotify([]uint64{node})
	} else if n, ok := w.fs.names.last.Get(ino); ok {
		w.fs.server.EntryNotify(w.fs.nodeID(n.dir), n.name)
	}
	return !w.fs.server.InodeNotify(node, attributesOnly, 0).Ok()
}

// dropOutdated tries again what was in use. The kernel holds a file for a moment longer than the handle, so this
// cannot be done in Release.
func (w *watcher) dropOutdated() {
	for ino, attempts := range w.outdated {
		if w.fs.nodes.count(ino).all > 0 {
			continue
		}
		w.outdated[ino]++
		if w.drop(ino) || attempts == dropAttempts {
			delete(w.outdated, ino)
		}
	}
}

// storeTail gives the kernel a file's last page, which makes the file as long for it as it is.
func (w *watcher) storeTail(ino swarmstore.Ino) error {
	file, err := w.fs.volume.OpenFile(w.fs.ctx, ino)
	if err != nil {
		return err
	}
	defer file.Close()
	a, err := file.Attr(w.fs.ctx)
	if err != nil || a.Size == 0 {
		return err
	}
	start := pageOf(a.Size - 1)
	tail, err := io.ReadAll(io.NewSectionReader(fileReader{w.fs.ctx, file}, start, a.Size-start))
	if err != nil {
		return err
	}
	w.fs.server.InodeNotifyStoreCache(w.fs.nodeID(ino), start, tail)
	return nil
}

// forgetEverything is the answer to changes of unknown extent. Dropping the names in the root drops, with each
// directory, everything below it that is not in use; nodes that are open are announced one by one. A directory that
// is only somebody's working directory is read anew when the kernel's timeout has passed.
func (w *watcher) forgetEverything() {
	w.fs.xattrs.forgetAll()
	w.fs.cached.Purge()
	root := w.fs.nodeID(w.fs.root)
	for _, name := range w.fs.names.root.Keys() {
		w.fs.server.EntryNotify(root, name)
	}
	w.fs.server.InodeNotify(root, attributesOnly, 0)
	for _, ino := range w.fs.nodes.list() {
		w.announceNode(swarmstore.Change{Ino: ino, Content: true})
	}
}
