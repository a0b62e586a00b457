package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	mountDeadline = time.Minute
	// stopDeadline is generous: unmounting swarmfs seals what is staged.
	stopDeadline = 10 * time.Minute
	// A daemon is at rest when it has used no CPU time for restTime.
	restTime     = 300 * time.Millisecond
	restDeadline = 10 * time.Minute
)

// target is one of the file systems that are compared.
type target struct {
	name string
	base string // holds the files, and the mount point if there is one
	// start prepares the daemon that serves storage at mountPoint; nil: no
	// daemon, a plain directory.
	start  func(storage, mountPoint string) (serve, stop *exec.Cmd)
	daemon *exec.Cmd
	stop   *exec.Cmd
	output bytes.Buffer
}

func startLoopback(program string) func(string, string) (*exec.Cmd, *exec.Cmd) {
	return func(storage, mountPoint string) (serve, stop *exec.Cmd) {
		return exec.Command(program, "-q", mountPoint, storage), exec.Command("fusermount3", "-u", mountPoint)
	}
}

func startSwarmfs(program string) func(string, string) (*exec.Cmd, *exec.Cmd) {
	return func(storage, mountPoint string) (serve, stop *exec.Cmd) {
		return exec.Command(program, "--store", storage, "mount", "--foreground", mountPoint),
			exec.Command(program, "--store", storage, "umount", mountPoint)
	}
}

func (t *target) storage() string { return filepath.Join(t.base, "storage") }

// dir is where the workloads work.
func (t *target) dir() string {
	if t.start == nil {
		return t.storage()
	}
	return filepath.Join(t.base, "mnt")
}

func (t *target) mount() error {
	if err := errors.Join(os.MkdirAll(t.storage(), 0o700), os.MkdirAll(t.dir(), 0o755)); err != nil || t.start == nil {
		return err
	}
	t.daemon, t.stop = t.start(t.storage(), t.dir())
	t.daemon.Stdout, t.daemon.Stderr = &t.output, &t.output
	if err := t.daemon.Start(); err != nil {
		return err
	}
	for deadline := time.Now().Add(mountDeadline); ; time.Sleep(5 * time.Millisecond) {
		mounts, err := os.ReadFile("/proc/self/mounts")
		if err != nil {
			return err
		}
		if strings.Contains(string(mounts), " "+t.dir()+" fuse") {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("%s does not mount within %v:\n%s", t.name, mountDeadline, t.output.String()), t.daemon.Process.Kill())
		}
	}
}

func (t *target) unmount() error {
	if t.daemon == nil {
		return nil
	}
	if out, err := t.stop.CombinedOutput(); err != nil {
		// By force, so that removing the files does not reach into the mount.
		return errors.Join(fmt.Errorf("unmounting %s: %w\n%s", t.name, err, out),
			t.daemon.Process.Kill(), syscall.Unmount(t.dir(), syscall.MNT_DETACH))
	}
	timer := time.AfterFunc(stopDeadline, func() { _ = t.daemon.Process.Kill() }) // Wait reports it
	defer timer.Stop()
	err := t.daemon.Wait()
	t.daemon = nil
	if err != nil {
		return fmt.Errorf("%s ended badly: %w\n%s", t.name, err, t.output.String())
	}
	return nil
}

// settle waits until dirty pages are written back and the daemon does nothing
// any more in the background.
func (t *target) settle() error {
	syscall.Sync()
	if t.daemon == nil {
		return nil
	}
	for deadline := time.Now().Add(restDeadline); time.Now().Before(deadline); {
		before, err := cpuTime(t.daemon.Process.Pid)
		if err != nil {
			return err
		}
		time.Sleep(restTime)
		after, err := cpuTime(t.daemon.Process.Pid)
		if err != nil {
			return err
		}
		// A tick, 10 ms, passes for a runtime's housekeeping.
		if after-before <= 1 {
			return nil
		}
	}
	return fmt.Errorf("%s is still busy after %v", t.name, restDeadline)
}

// cool makes the caches of the kernel cold for this target.
func (t *target) cool() error {
	if err := t.settle(); err != nil {
		return err
	}
	if err := errors.Join(t.unmount(), t.mount()); err != nil {
		return err
	}
	return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3\n"), 0o200)
}

// cpuTime returns the ticks that a process has used.
func cpuTime(pid int) (int, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold blanks. utime and stime are the 14th
	// and 15th field, the first after the name is the third.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat: %q", pid, stat)
	}
	var user, system int
	if _, err := fmt.Sscan(fields[11]+" "+fields[12], &user, &system); err != nil {
		return 0, err
	}
	return user + system, nil
}

// residentBytes returns the memory that a process holds.
func residentBytes(pid int) (int64, error) {
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	var total, resident int64
	if _, err := fmt.Sscan(string(statm), &total, &resident); err != nil {
		return 0, err
	}
	return resident * int64(os.Getpagesize()), nil
}
