package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// maxLogSize is the size at which a log is set aside when the next mount starts: enough for
// months, and never a danger for the disk.
const maxLogSize = 10 << 20

// startBackground starts this program once more, without a terminal, and waits until it says
// that it is ready. Ending ctx ends it.
func startBackground(ctx context.Context, executable string, args []string, log *os.File) (pid int, err error) {
	read, write, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer read.Close()
	command := exec.Command(executable, args...)
	command.Env = append(os.Environ(), readyFDEnv+"=3") // the first of ExtraFiles
	command.ExtraFiles = []*os.File{write}
	command.Dir = "/" // so as to keep no other filesystem busy
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = command.Start()
	if err = errors.Join(err, write.Close()); err != nil {
		return 0, err
	}
	stop := context.AfterFunc(ctx, func() { _ = command.Process.Signal(syscall.SIGTERM) })
	defer stop()
	if err := awaitReadiness(read); err != nil {
		status := command.Wait()
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		if errors.Is(err, errDied) {
			return 0, fmt.Errorf("%w (%v); its log is %s", err, status, log.Name())
		}
		return 0, err
	}
	pid = command.Process.Pid // Release forgets it
	return pid, command.Process.Release()
}

// openLog opens a log file for appending. One that has grown large is set aside, in place of the
// one before.
func openLog(path string) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() > maxLogSize {
		if err := os.Rename(path, path+".1"); err != nil {
			return nil, err
		}
	}
	return os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
}
