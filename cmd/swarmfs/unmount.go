package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// errMountBusy tells that programs use a mount.
var errMountBusy = errors.New("it is in use")

// unmount takes a mount away, with lazy even from programs that use it. Users other than root
// need fusermount3 for it.
func unmount(ctx context.Context, path string, lazy bool) error {
	if os.Geteuid() != 0 {
		return fusermount(ctx, path, lazy)
	}
	flags := unix.UMOUNT_NOFOLLOW
	if lazy {
		flags |= unix.MNT_DETACH
	}
	err := unix.Unmount(path, flags)
	if errors.Is(err, unix.EBUSY) {
		return errMountBusy
	}
	return err
}

func fusermount(ctx context.Context, path string, lazy bool) error {
	args := []string{"-u"}
	if lazy {
		args = append(args, "-z")
	}
	command := exec.CommandContext(ctx, "fusermount3", append(args, "--", path)...)
	command.Env = append(os.Environ(), "LC_ALL=C") // its text is all that tells why
	output, err := command.CombinedOutput()
	if err == nil {
		return nil
	}
	text := strings.TrimSpace(string(output))
	if strings.Contains(text, "busy") {
		return errMountBusy
	}
	if text == "" {
		return fmt.Errorf("fusermount3: %w", err)
	}
	return errors.New(text)
}

// mountUser is a process that keeps a mount busy.
type mountUser struct {
	pid  int
	name string
}

// usersOf finds processes with open files, or their working directory, below a mount point, as far
// as this user may see.
func usersOf(path string) []mountUser {
	processes, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var users []mountUser
	for _, process := range processes {
		pid, err := strconv.Atoi(process.Name())
		if err != nil || pid == os.Getpid() || !uses(pid, path) {
			continue
		}
		name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		if err != nil {
			continue // it has just ended
		}
		users = append(users, mountUser{pid, strings.TrimSpace(string(name))})
	}
	return users
}

func uses(pid int, path string) bool {
	dir := fmt.Sprintf("/proc/%d", pid)
	links := []string{dir + "/cwd", dir + "/root", dir + "/exe"}
	for _, sub := range []string{dir + "/fd", dir + "/map_files"} {
		files, err := os.ReadDir(sub)
		if err != nil {
			continue
		}
		for _, file := range files {
			links = append(links, filepath.Join(sub, file.Name()))
		}
	}
	return slices.ContainsFunc(links, func(link string) bool {
		target, err := os.Readlink(link)
		return err == nil && (target == path || strings.HasPrefix(target, path+"/"))
	})
}

// describeUsers names the first few.
func describeUsers(users []mountUser) string {
	const most = 5
	var names []string
	for _, u := range users[:min(len(users), most)] {
		names = append(names, fmt.Sprintf("%s (%d)", quoteUnprintable(u.name), u.pid))
	}
	if len(users) > most {
		names = append(names, fmt.Sprintf("%d more", len(users)-most))
	}
	return strings.Join(names, ", ")
}
