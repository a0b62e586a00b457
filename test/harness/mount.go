package harness

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	mountDeadline   = 30 * time.Second // opening a store may replay its log
	unmountDeadline = 60 * time.Second // unmounting waits for users and seals what is staged
	pollInterval    = 5 * time.Millisecond
)

// Options says what to mount.
type Options struct {
	Store      string   // store directory; empty: a fresh one
	MountPoint string   // must exist; empty: a fresh one
	Args       []string // further arguments of swarmfs mount, before the mount point
	Env        []string // further variables of the daemon's environment
}

// FS is a mounted store.
type FS struct {
	Dir   string // mount point
	Store string // store directory
	Pid   int    // the daemon, 0 while not mounted

	binary string
	opts   Options
	daemon *daemon
}

// Mount mounts a store and unmounts it when the test ends.
func Mount(t testing.TB, opts Options) *FS {
	t.Helper()
	RequireFUSE(t)
	fs := &FS{Dir: opts.MountPoint, Store: opts.Store, binary: Binary(t), opts: opts}
	if fs.Store == "" {
		fs.Store = filepath.Join(t.TempDir(), "store")
	}
	if fs.Dir == "" {
		// Reachable for every user: the suites switch to unprivileged ones.
		fs.Dir = publicTempDir(t)
	}
	t.Cleanup(func() { fs.cleanup(t) })
	fs.start(t)
	return fs
}

// publicTempDir is t.TempDir, except that other users may search it and that
// a mount that cannot be taken down is left alone rather than emptied.
func publicTempDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "swarmfs-mnt-")
	if err != nil {
		t.Fatalf("creating a mount point: %v", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatalf("opening the mount point to all users: %v", err)
	}
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Errorf("removing the mount point: %v", err)
		}
	})
	return dir
}

// Unmount takes the mount down with swarmfs umount and waits for the daemon to
// end well.
func (fs *FS) Unmount(t testing.TB) {
	t.Helper()
	if fs.daemon == nil {
		t.Fatalf("%s is not mounted", fs.Dir)
	}
	if err := fs.unmount(); err != nil {
		t.Fatalf("unmounting %s: %v\n%s", fs.Dir, err, fs.daemon.tail())
	}
	fs.daemon, fs.Pid = nil, 0
}

// Remount unmounts, unless a crash has done so, and mounts again. The caller
// has closed everything that was open on the mount.
func (fs *FS) Remount(t testing.TB) {
	t.Helper()
	if fs.daemon != nil {
		fs.Unmount(t)
	}
	fs.start(t)
}

// Kill9 kills the daemon with SIGKILL and detaches the dead mount. Remount
// brings the file system back.
func (fs *FS) Kill9(t testing.TB) {
	t.Helper()
	if fs.daemon == nil {
		t.Fatalf("%s is not mounted", fs.Dir)
	}
	if err := fs.force(); err != nil {
		t.Fatalf("killing the daemon of %s: %v", fs.Dir, err)
	}
}

// Command prepares a swarmfs command on the mounted store: swarmfs --store
// STORE args.
func (fs *FS) Command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, fs.binary, append([]string{"--store", fs.Store}, args...)...)
	cmd.Env = append(os.Environ(), fs.opts.Env...)
	return cmd
}

func (fs *FS) start(t testing.TB) {
	t.Helper()
	args := append([]string{"--store", fs.Store, "mount", "--foreground"}, fs.opts.Args...)
	cmd := exec.Command(fs.binary, append(args, fs.Dir)...)
	cmd.Env = append(os.Environ(), fs.opts.Env...)
	d, err := startDaemon(cmd)
	if err != nil {
		t.Fatalf("starting swarmfs mount: %v", err)
	}
	fs.daemon, fs.Pid = d, cmd.Process.Pid
	if err := fs.waitMounted(); err != nil {
		t.Fatalf("mounting %s: %v\n%s", fs.Dir, err, d.tail())
	}
}

// waitMounted waits until the kernel lists the mount point as FUSE.
func (fs *FS) waitMounted() error {
	deadline := time.Now().Add(mountDeadline)
	for {
		mounted, err := isMounted(fs.Dir)
		if err != nil || mounted {
			return err
		}
		select {
		case <-fs.daemon.done:
			return fmt.Errorf("the daemon ended: %v", fs.daemon.err)
		case <-time.After(pollInterval):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not mounted after %v", mountDeadline)
		}
	}
}

func (fs *FS) unmount() error {
	ctx, cancel := context.WithTimeout(context.Background(), unmountDeadline)
	defer cancel()
	// Wait, for the network poller of the Go runtime may hold a file for a moment
	// after it was closed. A file that was left open fails at the deadline.
	if out, err := fs.Command(ctx, "umount", "--wait", fs.Dir).CombinedOutput(); err != nil {
		return fmt.Errorf("swarmfs umount: %w\n%s", err, out)
	}
	select {
	case <-fs.daemon.done:
	case <-ctx.Done():
		return fmt.Errorf("the daemon still runs %v after the unmount", unmountDeadline)
	}
	if fs.daemon.err != nil {
		return fmt.Errorf("the daemon ended badly: %w", fs.daemon.err)
	}
	return nil
}

// force kills the daemon, which aborts every request that waits for it, and
// detaches the mount.
func (fs *FS) force() error {
	err := syscall.Kill(fs.Pid, syscall.SIGKILL)
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	select {
	case <-fs.daemon.done:
	case <-time.After(unmountDeadline):
		return fmt.Errorf("process %d survives SIGKILL", fs.Pid)
	}
	fs.daemon, fs.Pid = nil, 0
	// EINVAL: the kernel had nothing mounted there any more.
	if err := unix.Unmount(fs.Dir, unix.MNT_DETACH); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return nil
}

func (fs *FS) cleanup(t testing.TB) {
	if fs.daemon == nil {
		return
	}
	if t.Failed() {
		t.Logf("end of the daemon's output:\n%s", fs.daemon.tail())
	}
	if err := fs.unmount(); err != nil {
		t.Errorf("unmounting %s: %v\n%s", fs.Dir, err, fs.daemon.tail())
		if err := fs.force(); err != nil {
			t.Errorf("unmounting %s by force: %v", fs.Dir, err)
		}
		return
	}
	fs.daemon, fs.Pid = nil, 0
}

// isMounted reports whether a FUSE file system is mounted at dir. It asks
// mountinfo and not the directory, which would block on a stuck daemon.
func isMounted(dir string) (bool, error) {
	f, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return false, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		// 36 35 98:0 / /mnt rw,noatime master:1 - fuse.swarmfs source rw
		fields := strings.Fields(lines.Text())
		if len(fields) > 4 && fields[4] == dir && strings.Contains(lines.Text(), " - fuse") {
			return true, nil
		}
	}
	return false, lines.Err()
}

// daemon is a running swarmfs mount.
type daemon struct {
	output *tailBuffer
	done   chan struct{} // closed when the process has ended
	err    error         // how it ended; valid once done is closed
}

// startDaemon starts cmd such that it dies with this process, however this
// process ends. The kernel ties that to the thread that started the child, so
// the thread is kept for as long as the child lives.
func startDaemon(cmd *exec.Cmd) (*daemon, error) {
	d := &daemon{output: &tailBuffer{}, done: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = d.output, d.output
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		d.err = cmd.Wait()
		close(d.done)
	}()
	return d, <-started
}

func (d *daemon) tail() string { return d.output.String() }
