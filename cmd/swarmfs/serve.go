package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"swarmfs/fusefs"
	"swarmfs/swarmstore"
)

const (
	// unmountGrace is how long programs that use a mount may take to leave it after a signal.
	unmountGrace = 10 * time.Second
	// unmountRetry is the time between attempts to unmount in the meantime.
	unmountRetry = 200 * time.Millisecond
	// detachedWait is how long requests under way may take after the mount was detached.
	detachedWait = 5 * time.Second
	// systemdStretch is how much longer systemd is asked to wait, again and again, while the
	// store is being closed.
	systemdStretch = "EXTEND_TIMEOUT_USEC=30000000"
)

// serve mounts a volume and serves it until it is unmounted. What was written is durable, and
// sealed, when it returns nil.
func (p *program) serve(c *cli.Context, m *mountConfig, waiting *readiness) (err error) {
	log, err := p.mountLogger(m)
	if err != nil {
		return err
	}
	prepareProcess(log)
	// A signal asks to unmount; until then nothing of the mount may end because of it.
	ctx := context.WithoutCancel(c.Context)

	registry := newMetricsRegistry()
	store, err := swarmstore.Open(ctx, m.store, swarmstore.Options{
		ReadOnly: m.fuse.ReadOnly, Logger: log, CacheSize: int64(m.cacheSize), Password: p.passwordOf(m.passwordFile, m.store),
		Purpose: "mount", Detail: m.fuse.MountPoint, Volume: m.volume,
	})
	if err != nil {
		return fail("open store", m.store, err)
	}
	defer func() { err = errors.Join(err, closeStore(store, log)) }()
	volume, err := p.openVolume(ctx, store, m.volume, refuse)
	if err != nil {
		return err
	}
	if m.metrics != "" {
		stop, err := serveMetrics(ctx, m.metrics, registry, volume, log)
		if err != nil {
			return fail("serve metrics at", m.metrics, err)
		}
		defer stop()
	}
	return p.serveVolume(ctx, m, volume, registry, log, waiting)
}

func (p *program) serveVolume(ctx context.Context, m *mountConfig, volume *swarmstore.Volume, registry *prometheus.Registry, log *slog.Logger, waiting *readiness) error {
	path := m.fuse.MountPoint
	record, err := recordMount(m)
	if err != nil {
		return fail("mount at", path, err)
	}
	defer func() { logError(log, "remove the record of the mount", record.remove()) }()

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)

	options := m.fuse
	options.Logger, options.Registerer = log, registry
	server, err := fusefs.Mount(ctx, volume, options)
	if err != nil {
		return fail("mount at", path, err)
	}
	unmounted := make(chan error, 1)
	go func() { unmounted <- server.Wait() }()

	log.Info("mounted", "volume", m.volume, "at", path, "store", m.store, "pid", os.Getpid())
	notifySystemd(log, daemon.SdNotifyReady)
	logError(log, "tell that the mount is ready", waiting.ready())
	if waiting == nil {
		p.notef("volume %s is mounted at %s; unmount it with Ctrl-C or: swarmfs umount %s", m.volume, path, path)
	}
	select {
	case err = <-unmounted:
	case sig := <-signals:
		log.Info("unmounting", "signal", sig)
		notifySystemd(log, daemon.SdNotifyStopping)
		err = leave(ctx, server, path, unmounted, signals, log)
	}
	log.Info("unmounted", "at", path)
	notifySystemd(log, daemon.SdNotifyStopping)
	return fail("serve", path, err)
}

// leave unmounts. Programs that use the mount get a grace period, which another signal ends; then
// the mount is detached under them.
func leave(ctx context.Context, server *fusefs.Server, path string, unmounted <-chan error, signals <-chan os.Signal, log *slog.Logger) error {
	grace := time.After(unmountGrace)
	for waiting := true; waiting; {
		err := server.Unmount()
		if err == nil {
			return <-unmounted
		}
		log.Debug("cannot unmount yet", "err", err)
		select {
		case err := <-unmounted:
			return err
		case <-signals:
			waiting = false
		case <-grace:
			waiting = false
		case <-time.After(unmountRetry):
		}
	}
	log.Warn("the mount is still in use; detaching it", "used by", describeUsers(usersOf(path)))
	if err := unmount(ctx, path, true); err != nil {
		return err
	}
	select {
	case err := <-unmounted:
		return err
	case <-time.After(detachedWait):
		return nil // open files get an I/O error from now on; what they wrote is kept
	}
}

// closeStore seals and closes, and keeps systemd patient meanwhile.
func closeStore(store *swarmstore.Store, log *slog.Logger) error {
	done := make(chan struct{})
	defer close(done)
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(5 * time.Second):
				notifySystemd(log, systemdStretch)
			}
		}
	}()
	started := time.Now()
	if err := store.Close(); err != nil {
		log.Error("close store", "err", err)
		return fail("close store", store.Dir(), err)
	}
	log.Info("store closed; everything is written", "took", time.Since(started).Round(time.Millisecond))
	return nil
}

// mountLogger logs to the log file or, in the foreground without one, to the terminal.
func (p *program) mountLogger(m *mountConfig) (*slog.Logger, error) {
	if m.logFile == "" {
		return newLogger(p.stderr, m.level()), nil
	}
	file, err := openLog(m.logFile)
	if err != nil {
		return nil, fail("open log", m.logFile, err)
	}
	return newLogger(file, m.level()), nil // closed by the end of the process
}

// prepareProcess gives the process what a file server needs.
func prepareProcess(log *slog.Logger) {
	// The modes of new files arrive with the callers' umasks applied.
	unix.Umask(0)
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		logError(log, "read the limit of open files", err)
		return
	}
	limit.Cur = limit.Max
	logError(log, "raise the limit of open files", unix.Setrlimit(unix.RLIMIT_NOFILE, &limit))
}

func notifySystemd(log *slog.Logger, state string) {
	_, err := daemon.SdNotify(false, state)
	logError(log, "notify systemd", err)
}

func logError(log *slog.Logger, what string, err error) {
	if err != nil {
		log.Warn(what, "err", err)
	}
}
