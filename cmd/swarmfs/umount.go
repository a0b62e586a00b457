package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"
)

func (p *program) umountCommand() *cli.Command {
	return &cli.Command{
		Name:      "umount",
		Aliases:   []string{"unmount"},
		Usage:     "unmount a volume and wait until it is written",
		ArgsUsage: "MOUNTPOINT...",
		Description: "Returns when the process behind the mount has sealed what was written and ended, so that the\n" +
			"store may be copied or its disk taken away.",
		UsageText: examples(
			"swarmfs umount /mnt/swarm",
			"swarmfs umount --wait /mnt/swarm      waits for programs to leave it",
			"swarmfs umount --lazy /mnt/swarm      takes it away from them",
		),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "lazy", Aliases: []string{"l", "z"}, Usage: "detach now; files that are open stay usable"},
			&cli.BoolFlag{Name: "wait", Aliases: []string{"w"}, Usage: "wait as long as programs use the mount, instead of failing"},
		},
		Action: p.umount,
	}
}

func (p *program) umount(c *cli.Context) error {
	if !c.Args().Present() {
		return usagef(c, "which mount point?")
	}
	var failed error
	for _, path := range c.Args().Slice() {
		if err := p.umountOne(c, path); err != nil {
			p.complain(fail("unmount", path, err))
			failed = exitStatus(exitFailed)
		}
	}
	return failed
}

func (p *program) umountOne(c *cli.Context, asked string) error {
	path, err := resolveMountPoint(asked)
	if err != nil {
		return err
	}
	mounted, err := findMount(path)
	if err != nil {
		return err
	}
	if mounted == nil || !mounted.isOurs() {
		return errors.New("no volume is mounted there; mount | grep swarmfs shows those that are")
	}
	processes, err := findMountProcesses(mounted.owner(), path)
	if err != nil {
		return err
	}
	lazy, wait := c.Bool("lazy"), c.Bool("wait")
	if isStale(path) {
		p.notef("%s: the process that served this mount has died; the next to open its store takes over what it left", asked)
		return unmount(c.Context, path, true)
	}
	if err := p.unmountBusy(c.Context, path, lazy, wait); err != nil {
		return err
	}
	if lazy && !wait { // the process may live for as long as a file is open
		p.notef("%s is detached; it ends when the last file is closed", asked)
		return nil
	}
	return p.awaitEnd(c.Context, asked, processes)
}

// unmountBusy unmounts and, with wait, tries again for as long as programs use the mount.
func (p *program) unmountBusy(ctx context.Context, path string, lazy, wait bool) error {
	for told := false; ; told = true {
		err := unmount(ctx, path, lazy)
		if !errors.Is(err, errMountBusy) {
			return err
		}
		users := describeUsers(usersOf(path))
		if users == "" {
			users = "a program that this user may not see"
		}
		if !wait {
			return fmt.Errorf("%w by %s; end that, or use --wait or --lazy", errMountBusy, users)
		}
		if !told {
			p.notef("waiting for %s to leave %s", users, path)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(unmountRetry):
		}
	}
}

// awaitEnd waits until the processes behind a mount have written everything.
func (p *program) awaitEnd(ctx context.Context, path string, processes []*mountProcess) error {
	if len(processes) == 0 {
		p.notef("%s is unmounted; the process that served it cannot be seen from here, so it may still be writing", path)
		return nil
	}
	const patience = time.Second // what usually suffices deserves no words
	tell := time.AfterFunc(patience, func() { p.notef("waiting until everything is written") })
	defer tell.Stop()
	for _, process := range processes {
		if err := process.wait(ctx); err != nil {
			return err
		}
	}
	p.notef("%s is unmounted and everything is written to %s", path, processes[0].Store)
	return nil
}

// owner is the user who made a mount.
func (m *mountEntry) owner() int {
	if uid, err := strconv.Atoi(m.user); err == nil {
		return uid
	}
	return os.Geteuid()
}
