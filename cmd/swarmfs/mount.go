package main

import (
	"context"
	"errors"
	"os"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) mountCommand() *cli.Command {
	return &cli.Command{
		Name:      "mount",
		Usage:     "mount a volume as a disk",
		ArgsUsage: "MOUNTPOINT",
		Description: "Mounts a volume at a directory; both are made if they do not exist. The program stays in the\n" +
			"background until the volume is unmounted, and logs to a file in the store.\n\n" +
			"Mount options (-o): ro, rw, allow_other, noallow_other, default_permissions, noatime, relatime,\n" +
			"suid, nosuid, dev, nodev, exec, noexec, writeback, nowriteback, foreground, volume=, store=,\n" +
			"uid=, gid=, umask=, attr_timeout=, cache_size=, log_file=, password_file=, metrics=, and those\n" +
			"that fstab lines have for others.",
		UsageText: examples(
			"swarmfs mount /mnt/swarm",
			"swarmfs mount --volume photos --read-only ~/photos",
			"swarmfs mount -o noatime,umask=027 --metrics localhost:9105 /mnt/swarm",
		),
		Flags:  mountFlags(),
		Action: p.mount,
	}
}

func (p *program) mount(c *cli.Context) error {
	m, err := newMountConfig(c)
	if err != nil {
		return err
	}
	waiting, err := inheritReadiness()
	if err != nil {
		return err
	}
	err = p.mountAt(c, m, waiting)
	if err != nil {
		// The process that waits prints it; this one's own output is the log.
		err = errors.Join(err, waiting.failed(explain(err)))
	}
	return err
}

func (p *program) mountAt(c *cli.Context, m *mountConfig, waiting *readiness) error {
	asked := m.fuse.MountPoint
	path, err := resolveMountPoint(asked)
	if err != nil {
		return fail("mount at", asked, err)
	}
	m.fuse.MountPoint = path
	if waiting != nil { // the process that waits has prepared everything
		return p.serve(c, m, waiting)
	}
	if err := checkFUSE(&m.fuse); err != nil {
		return fail("mount at", asked, err)
	}
	if err := p.prepareMountPoint(c.Context, path); err != nil {
		return fail("mount at", asked, err)
	}
	if err := p.prepareVolume(c, m); err != nil {
		return err
	}
	if m.foreground {
		return p.serve(c, m, nil)
	}
	return p.mountInBackground(c.Context, m)
}

// prepareVolume makes the store and the volume where they are missing, while there still is a
// person who may be asked for a password, and who sees what goes wrong.
func (p *program) prepareVolume(c *cli.Context, m *mountConfig) error {
	if m.fuse.ReadOnly {
		return checkStore(m.store)
	}
	store, err := swarmstore.Open(c.Context, m.store, swarmstore.Options{
		Logger: newLogger(p.stderr, m.warnLevel()), Password: p.passwordOf(m.passwordFile, m.store),
		Purpose: "command", Detail: "mount", Volume: m.volume,
	})
	if err != nil {
		return fail("open store", m.store, err)
	}
	_, err = p.openVolume(c.Context, store, m.volume, create)
	return errors.Join(err, fail("close store", m.store, store.Close()))
}

func (p *program) mountInBackground(ctx context.Context, m *mountConfig) error {
	log, err := openLog(m.logFile)
	if err != nil {
		return fail("open log", m.logFile, err)
	}
	defer log.Close()
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	pid, err := startBackground(ctx, executable, m.commandLine(), log)
	if err != nil {
		return err
	}
	p.printf("volume %s is mounted at %s (process %d, log %s); unmount it with: swarmfs umount %s\n",
		m.volume, p.displayName(m.fuse.MountPoint), pid, m.logFile, p.displayName(m.fuse.MountPoint))
	return nil
}
