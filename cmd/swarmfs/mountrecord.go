package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// mountRecord is a file that the process behind a mount keeps locked for as long as it lives, so
// that umount, which cannot see the process, can wait until it has written everything. A lock
// cannot outlive its process, nor be mistaken for that of another one with the same number.
type mountRecord struct{ file *os.File }

// mountRecordContent is what the file tells people.
type mountRecordContent struct {
	PID        int    `json:"pid"`
	MountPoint string `json:"mount_point"`
	Store      string `json:"store"`
	Volume     string `json:"volume"`
}

// recordDir is where the mounts of a user are recorded.
func recordDir(uid int) string {
	if uid == 0 {
		return "/run/swarmfs"
	}
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" && uid == os.Geteuid() {
		return filepath.Join(dir, "swarmfs")
	}
	if dir := fmt.Sprintf("/run/user/%d", uid); exists(dir) {
		return filepath.Join(dir, "swarmfs")
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("swarmfs-%d", uid))
}

// recordPrefix begins the names of the records of a mount point. Several processes may have one
// for the same: the last writes its end while the next already serves.
func recordPrefix(mountPoint string) string {
	return fmt.Sprintf("mount-%x-", sha256.Sum256([]byte(mountPoint)))
}

// recordMount makes the record of this process.
func recordMount(m *mountConfig) (*mountRecord, error) {
	dir := recordDir(os.Geteuid())
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := checkOwned(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, recordPrefix(m.fuse.MountPoint)+strconv.Itoa(os.Getpid()))
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	record := &mountRecord{file}
	if err := record.write(m); err != nil {
		return nil, errors.Join(err, record.remove())
	}
	return record, nil
}

func (r *mountRecord) write(m *mountConfig) error {
	if err := unix.Flock(int(r.file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return err
	}
	return json.NewEncoder(r.file).Encode(mountRecordContent{
		PID: os.Getpid(), MountPoint: m.fuse.MountPoint, Store: m.store, Volume: m.volume,
	})
}

// remove takes the record away. The lock stays until the process ends, after the store is closed.
func (r *mountRecord) remove() error { return os.Remove(r.file.Name()) }

// checkOwned refuses a directory, in a place where everybody may make one, that another user made.
func checkOwned(dir string) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() {
		return fmt.Errorf("%s is not a directory of this user", dir)
	}
	return nil
}

// mountProcess is the process behind a mount, found before the mount goes.
type mountProcess struct {
	mountRecordContent
	file *os.File
}

// findMountProcesses opens the records of the live processes behind a mount point.
func findMountProcesses(uid int, mountPoint string) ([]*mountProcess, error) {
	paths, err := filepath.Glob(filepath.Join(recordDir(uid), recordPrefix(mountPoint)+"*"))
	if err != nil {
		return nil, err
	}
	var found []*mountProcess
	for _, path := range paths {
		process, err := openMountProcess(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return found, err
		}
		if process.ended() { // it was killed
			_ = os.Remove(path)
			_ = process.file.Close()
			continue
		}
		found = append(found, process)
	}
	return found, nil
}

func openMountProcess(path string) (*mountProcess, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	process := &mountProcess{file: file}
	text, err := io.ReadAll(io.LimitReader(file, 64<<10))
	if err == nil && len(text) > 0 { // empty: it is just being written
		err = json.Unmarshal(text, &process.mountRecordContent)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return process, nil
}

// ended tells whether the process is gone.
func (p *mountProcess) ended() bool {
	return unix.Flock(int(p.file.Fd()), unix.LOCK_SH|unix.LOCK_NB) == nil
}

// wait returns when the process has ended.
func (p *mountProcess) wait(ctx context.Context) error {
	const often = 20 * time.Millisecond
	for !p.ended() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(often):
		}
	}
	return p.file.Close()
}
