package fusefs

import (
	"context"
	"log/slog"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	lru "github.com/hashicorp/golang-lru/v2"

	"swarmfs/swarmstore"
)

// fileSystem answers the kernel's requests for one mounted volume. Each method is one request; the files of this
// package group them by what they are about.
type fileSystem struct {
	// What is not answered here is answered ENOSYS, which makes the kernel do without. Among those are the lock
	// requests: as long as they are not enabled the kernel keeps flock and POSIX locks itself, which is right
	// within a mount and needs no round trips.
	fuse.RawFileSystem

	volume  *swarmstore.Volume
	root    swarmstore.Ino
	options Options
	timeout time.Duration
	logger  *slog.Logger
	// ctx lives as long as the mount. Operations that must not be interrupted run under it.
	ctx    context.Context
	server *fuse.Server // set by Init, before the first request
	// serving is closed when server is set.
	serving chan struct{}

	files  handleTable[*openFile]
	dirs   handleTable[*openDir]
	nodes  openNodes
	xattrs noXattrs

	// cached remembers, of files opened lately, which content the kernel's page cache may hold.
	cached *lru.Cache[swarmstore.Ino, uint64]
	names  nameMemory
}

// cachedVersions bounds the memory for content versions. A file that drops out is read anew at its next open.
const cachedVersions = 64 << 10

func newFileSystem(ctx context.Context, v *swarmstore.Volume, o Options, logger *slog.Logger) (*fileSystem, error) {
	cached, err := lru.New[swarmstore.Ino, uint64](cachedVersions)
	if err != nil {
		return nil, err
	}
	names, err := newNameMemory()
	if err != nil {
		return nil, err
	}
	return &fileSystem{
		RawFileSystem: fuse.NewDefaultRawFileSystem(),
		volume:        v,
		root:          v.Root(),
		options:       o,
		timeout:       o.attrTimeout(),
		logger:        logger,
		ctx:           context.WithoutCancel(ctx),
		serving:       make(chan struct{}),
		cached:        cached,
		names:         names,
	}, nil
}

func (fs *fileSystem) String() string { return "swarmfs" }

// Init gives the means to talk back to the kernel. No request is served before it returns.
func (fs *fileSystem) Init(s *fuse.Server) {
	fs.server = s
	fs.names.needed = fs.options.noPrune || !s.KernelSettings().SupportsNotify(fuse.NOTIFY_PRUNE)
	close(fs.serving)
}

// OnUnmount closes what an aborted connection left open; an orderly unmount leaves nothing.
func (fs *fileSystem) OnUnmount() {
	for _, f := range fs.files.drain() {
		if err := f.close(fs.ctx); err != nil {
			fs.logger.Error("closing a file after unmount", slog.Uint64("ino", uint64(f.ino)), slog.Any("error", err))
		}
	}
	fs.dirs.drain()
}
