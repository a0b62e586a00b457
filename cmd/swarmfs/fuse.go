package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"swarmfs/fusefs"
)

const (
	fuseDevice = "/dev/fuse"
	fuseConfig = "/etc/fuse.conf"
)

// checkFUSE looks for what mounting needs of this system. Without it the attempt would fail all
// the same, but with less to go by.
func checkFUSE(o *fusefs.Options) error {
	err := unix.Access(fuseDevice, unix.R_OK|unix.W_OK)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no " + fuseDevice + "; load the kernel's module with: modprobe fuse")
	case err != nil:
		return errors.New("this user may not open " + fuseDevice + "; its mode should be 0666")
	}
	if os.Geteuid() == 0 {
		return nil // may mount without help
	}
	if _, err := exec.LookPath("fusermount3"); err != nil {
		return errors.New("the program fusermount3 is missing; install the package fuse3")
	}
	config, err := os.ReadFile(fuseConfig)
	if o.AllowOther && (err != nil || !allowsOthers(string(config))) {
		return errors.New("only root may use allow_other unless " + fuseConfig + " says user_allow_other")
	}
	return nil
}

// allowsOthers reads a fuse.conf.
func allowsOthers(config string) bool {
	return slices.ContainsFunc(strings.Split(config, "\n"), func(line string) bool {
		return strings.TrimSpace(line) == "user_allow_other"
	})
}
