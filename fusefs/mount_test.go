package fusefs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore"
)

// The tests of this package mount for real. The mount lives in a process of its own, this same test binary run again, so
// that a filesystem that hangs cannot hang the test: killing that process makes the kernel fail every pending call.

const (
	mountEnv     = "FUSEFS_TEST_MOUNT"     // a mountRequest: be the process that mounts
	inProcessEnv = "FUSEFS_TEST_INPROCESS" // not empty: mount in the test's process, for a debugger
	volumeName   = "test"
	// testDeadline is when a test's mount is killed. The slowest test takes a tenth of it.
	testDeadline = 3 * time.Minute
)

// mountRequest is what the mounting process is told.
type mountRequest struct {
	Store, MountPoint             string
	ReadOnly, NoWriteback         bool
	NoDefaultPermissions, NoAtime bool
	NoPrune                       bool
	UID, Umask                    *uint32
}

func (r *mountRequest) options() Options {
	o := DefaultOptions(r.MountPoint)
	o.ReadOnly, o.NoAtime = r.ReadOnly, r.NoAtime
	o.Writeback = !r.NoWriteback
	o.DefaultPermissions = !r.NoDefaultPermissions
	o.noPrune = r.NoPrune
	o.UID, o.Umask = r.UID, r.Umask
	o.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo}))
	return o
}

func TestMain(m *testing.M) {
	if request := os.Getenv(mountEnv); request != "" {
		if err := serveMount(request); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	unix.Umask(0o022)
	os.Exit(m.Run())
}

// serveMount mounts, says so on its output, and unmounts when its input ends.
func serveMount(request string) error {
	var r mountRequest
	if err := json.Unmarshal([]byte(request), &r); err != nil {
		return err
	}
	stop, err := mountHere(&r)
	if err != nil {
		return err
	}
	fmt.Println("mounted")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, stop())
}

// mountHere mounts in this process.
func mountHere(r *mountRequest) (stop func() error, err error) {
	ctx := context.Background()
	store, volume, err := openTestVolume(ctx, r.Store)
	if err != nil {
		return nil, err
	}
	server, err := Mount(ctx, volume, r.options())
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return func() error {
		return errors.Join(server.Unmount(), server.Wait(), store.Close())
	}, nil
}

// openTestVolume opens the volume of a test, making it the first time.
func openTestVolume(ctx context.Context, dir string) (*swarmstore.Store, *swarmstore.Volume, error) {
	store, err := swarmstore.Open(ctx, dir, swarmstore.Options{Purpose: "mount"})
	if err != nil {
		return nil, nil, err
	}
	volume, err := store.OpenVolume(ctx, volumeName)
	if errors.Is(err, swarmstore.ErrVolumeNotFound) {
		volume, err = store.CreateVolume(ctx, volumeName, swarmstore.VolumeOptions{RootMode: 0o755})
	}
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	return store, volume, nil
}

// newMount mounts a new volume for the duration of the test.
func newMount(t testing.TB) string {
	t.Helper()
	return mountWith(t, mountRequest{Store: t.TempDir()})
}

// mountWith mounts as the request says; it chooses the mount point.
func mountWith(t testing.TB, r mountRequest) string {
	t.Helper()
	requireFUSE(t)
	r.MountPoint = mountPoint(t)
	stop := startInProcess
	if os.Getenv(inProcessEnv) == "" {
		stop = startProcess
	}
	stop(t, &r)
	return r.MountPoint
}

// requireFUSE skips where nothing can be mounted, except in CI, where that would be a hole in the tests.
func requireFUSE(t testing.TB) {
	t.Helper()
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err == nil {
		f.Close()
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("these tests need FUSE: %v", err)
	}
	t.Skipf("no FUSE here: %v", err)
}

// mountPoint makes a directory that other users can reach, which those of t.TempDir are not.
func mountPoint(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "fusefs-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func startInProcess(t testing.TB, r *mountRequest) {
	t.Helper()
	stop, err := mountHere(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("unmounting: %v", err)
			unix.Unmount(r.MountPoint, unix.MNT_DETACH)
		}
	})
}

func startProcess(t testing.TB, r *mountRequest) {
	t.Helper()
	request, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), mountEnv+"="+string(request))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(testDeadline, func() {
		cmd.Process.Kill()
	})
	t.Cleanup(func() {
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the mounting process: %v", err)
			unix.Unmount(r.MountPoint, unix.MNT_DETACH)
		}
		guard.Stop()
	})
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "mounted\n" {
		t.Fatalf("the mounting process said %q: %v", line, err)
	}
}

// subdir makes a directory in the mount, so that cases can share one mount.
func subdir(t testing.TB, mnt, name string) string {
	t.Helper()
	dir := filepath.Join(mnt, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestMountFailsWithoutMountPoint(t *testing.T) {
	requireFUSE(t)
	r := mountRequest{Store: t.TempDir(), MountPoint: filepath.Join(t.TempDir(), "missing")}
	stop, err := mountHere(&r)
	if err == nil {
		stop()
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}

func TestReadOnlyMount(t *testing.T) {
	store := t.TempDir()
	mnt := mountWith(t, mountRequest{Store: store, ReadOnly: true})
	if err := os.WriteFile(mnt+"/file", nil, 0o644); !errors.Is(err, unix.EROFS) {
		t.Errorf("write: got %v, want %v", err, unix.EROFS)
	}
	if _, err := os.ReadDir(mnt); err != nil {
		t.Errorf("readdir: %v", err)
	}
}

func TestShownOwnerAndMode(t *testing.T) {
	uid, umask := uint32(12345), uint32(0o027)
	mnt := mountWith(t, mountRequest{Store: t.TempDir(), UID: &uid, Umask: &umask})
	if err := os.WriteFile(mnt+"/file", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	st := stat(t, mnt+"/file")
	if st.Uid != uid || st.Mode&0o7777 != 0o750 {
		t.Errorf("got uid %d mode %o, want uid %d mode 750", st.Uid, st.Mode&0o7777, uid)
	}
}

// stat is lstat(2).
func stat(t testing.TB, path string) unix.Stat_t {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		t.Fatalf("lstat %s: %v", path, err)
	}
	return st
}
