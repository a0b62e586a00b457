package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// resolveMountPoint returns the absolute path of a mount point without symlinks, as the kernel
// lists it. The last component may be missing, or be a mount whose process died.
func resolveMountPoint(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(abs)
	if err == nil {
		return resolved, nil
	}
	if abs == "/" {
		return "", err
	}
	parent, parentErr := filepath.EvalSymlinks(filepath.Dir(abs))
	if errors.Is(parentErr, fs.ErrNotExist) {
		return abs, nil // all of it will be made
	}
	if parentErr != nil {
		return "", parentErr
	}
	return filepath.Join(parent, filepath.Base(abs)), nil
}

// prepareMountPoint makes sure that a volume can be mounted at path: clears a mount of ours
// whose process died, refuses one that lives, and makes the directory.
func (p *program) prepareMountPoint(ctx context.Context, path string) error {
	mounted, err := findMount(path)
	if err != nil {
		return err
	}
	if mounted != nil && mounted.isOurs() {
		if !isStale(path) {
			return fmt.Errorf("%s is mounted there already; unmount it first: swarmfs umount %s", mounted.source, path)
		}
		p.notef("%s: the process that served this mount has died; clearing the mount away", path)
		if err := unmount(ctx, path, true); err != nil {
			return fmt.Errorf("clear the dead mount: %w; try: umount -l %s", err, path)
		}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(path, 0o755); err != nil {
			return fmt.Errorf("make the directory: %w", err)
		}
		return nil
	case errors.Is(err, unix.ENOTCONN):
		return errors.New("a mount whose process died is in the way, and it is not one of swarmfs; clear it with umount -l")
	case err != nil:
		return err
	case !info.IsDir():
		return errors.New("not a directory; name a directory to mount at")
	}
	return nil
}

// staleAfter is how long a mount may take to answer before it is taken for alive but slow. Dead
// ones answer at once.
const staleAfter = 3 * time.Second

// isStale tells whether the process behind a mount is gone. The kernel answers for it then; a
// process that lives may keep us waiting.
func isStale(path string) bool {
	answer := make(chan error, 1)
	go func() {
		var st unix.Statfs_t // not stat, which the kernel may answer from its cache
		answer <- unix.Statfs(path, &st)
	}()
	select {
	case err := <-answer:
		return errors.Is(err, unix.ENOTCONN)
	case <-time.After(staleAfter):
		return false
	}
}
