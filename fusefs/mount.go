package fusefs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime/debug"
	"slices"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// maxRequest is the size of the largest read or write, which is the most that kernels allow unless an administrator has
// raised it.
const maxRequest = 1 << 20

// maxBackground is how many reads ahead and writes back the kernel may have under way: enough to keep several blocks
// coming from the network.
const maxBackground = 64

// Server is a mounted volume.
type Server struct {
	fuse *fuse.Server
	done chan struct{} // closed when the mount is gone
}

// Mount mounts a volume and returns when the mount answers. ctx bounds the mounting, not the mount's life. The volume
// must stay open until Wait has returned.
func Mount(ctx context.Context, v *swarmstore.Volume, o Options) (*Server, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	logger := o.Logger
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	logger = logger.With(slog.String("volume", v.Name()), slog.String("mount", o.MountPoint))
	fs, err := newFileSystem(ctx, v, o, logger)
	if err != nil {
		return nil, fmt.Errorf("mounting on %s: %w", o.MountPoint, err)
	}
	raw, unregister, err := measure(fs, v.Name(), o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("registering the metrics of %s: %w", o.MountPoint, err)
	}
	// Watching begins before the kernel can learn anything that might change.
	release := cleanup{unregister, fs.startWatching()}
	server, err := newServer(raw, &o, v.Name(), logger)
	if err != nil {
		release.run()
		return nil, fmt.Errorf("mounting on %s: %w", o.MountPoint, err)
	}
	s := &Server{fuse: server, done: make(chan struct{})}
	go s.serve(release)
	if err := server.WaitMount(); err != nil {
		return nil, errors.Join(fmt.Errorf("waiting for the mount on %s: %w", o.MountPoint, err), s.Unmount())
	}
	setReadAhead(o.MountPoint, logger)
	return s, nil
}

// cleanup is what ends with the mount, run backwards.
type cleanup []func()

func (c cleanup) run() {
	for _, f := range slices.Backward(c) {
		f()
	}
}

// serve answers requests until the mount is gone.
func (s *Server) serve(release cleanup) {
	s.fuse.Serve()
	release.run()
	close(s.done)
}

// startWatching watches in the background; the function it returns ends that and waits for it.
func (fs *fileSystem) startWatching() (stop func()) {
	ctx, cancel := context.WithCancel(fs.ctx)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		fs.watch(ctx)
	}()
	return func() {
		cancel()
		<-watched
	}
}

// Wait returns when the volume is not mounted any more, by whomever it was unmounted.
func (s *Server) Wait() error {
	<-s.done
	return nil
}

// Unmount unmounts the volume and waits for requests under way. It fails while files are in use.
func (s *Server) Unmount() error {
	select {
	case <-s.done:
		return nil
	default:
	}
	if err := s.fuse.Unmount(); err != nil {
		return fmt.Errorf("unmounting: %w", err)
	}
	return s.Wait()
}

// newServer mounts. Root calls mount(2) itself, which works where fusermount3 is not installed; root of a container
// that may not do so gets a second chance through fusermount3, as everybody else.
func newServer(raw fuse.RawFileSystem, o *Options, volume string, logger *slog.Logger) (*fuse.Server, error) {
	opts := mountOptions(o, volume, logger)
	if os.Geteuid() != 0 {
		opts.Options = append(opts.Options, fusermountFlags(o)...)
		return fuse.NewServer(raw, o.MountPoint, opts)
	}
	opts.DirectMountStrict = true
	opts.DirectMountFlags = mountFlags(o)
	server, err := fuse.NewServer(raw, o.MountPoint, opts)
	if !errors.Is(err, unix.EPERM) {
		return server, err
	}
	opts.DirectMountStrict = false
	opts.Options = append(opts.Options, fusermountFlags(o)...)
	return fuse.NewServer(raw, o.MountPoint, opts)
}

func mountOptions(o *Options, volume string, logger *slog.Logger) *fuse.MountOptions {
	opts := &fuse.MountOptions{
		Name:          "swarmfs",
		FsName:        o.FsName,
		AllowOther:    o.AllowOther,
		Debug:         o.Debug,
		MaxWrite:      maxRequest,
		MaxReadAhead:  maxRequest,
		MaxBackground: maxBackground,
		// The kernel drops cached pages when it is told to, not because a time stamp has changed.
		ExplicitDataCacheControl: true,
		// A symbolic link never changes: another target is another node.
		EnableSymlinkCaching: true,
		// ACLs are checked by the kernel, together with the modes or not at all.
		EnableAcl:         o.DefaultPermissions,
		ExtraCapabilities: capabilities(o),
		PanicHandler: func(value any) fuse.Status {
			logger.Error("a request handler panicked", slog.Any("panic", value), slog.String("stack", string(debug.Stack())))
			return fuse.EIO
		},
	}
	if opts.FsName == "" {
		opts.FsName = "swarm:" + volume
	}
	if o.DefaultPermissions {
		opts.Options = append(opts.Options, "default_permissions")
	}
	level := slog.LevelWarn
	if o.Debug {
		level = slog.LevelDebug
	}
	opts.Logger = slog.NewLogLogger(logger.Handler(), level)
	return opts
}

// mountFlags are the options that mount(2) takes as bits.
func mountFlags(o *Options) uintptr {
	// Without any flag go-fuse would choose its own; this one has no meaning to the kernel.
	flags := uintptr(unix.MS_MGC_VAL)
	for _, f := range []struct {
		on   bool
		flag uintptr
	}{
		{o.ReadOnly, unix.MS_RDONLY},
		{o.NoAtime, unix.MS_NOATIME},
		{!o.Suid, unix.MS_NOSUID},
		{!o.Dev, unix.MS_NODEV},
		{!o.Exec, unix.MS_NOEXEC},
	} {
		if f.on {
			flags |= f.flag
		}
	}
	return flags
}

// fusermountFlags are the same options in words. fusermount3 refuses suid and dev to ordinary users and
// sets nosuid and nodev for them by itself.
func fusermountFlags(o *Options) []string {
	var words []string
	for _, f := range []struct {
		on   bool
		word string
	}{
		{o.ReadOnly, "ro"},
		{o.NoAtime, "noatime"},
		{o.Suid, "suid"},
		{o.Dev, "dev"},
		{!o.Exec, "noexec"},
	} {
		if f.on {
			words = append(words, f.word)
		}
	}
	return words
}
