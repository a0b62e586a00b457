package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

// defaultStoreDir is where the store lies unless --store names another place.
func defaultStoreDir() string {
	if os.Geteuid() == 0 {
		return "/var/lib/swarmfs"
	}
	data := os.Getenv("XDG_DATA_HOME")
	if !filepath.IsAbs(data) { // as the XDG specification demands
		home, err := os.UserHomeDir()
		if err != nil {
			return ""
		}
		data = filepath.Join(home, ".local", "share")
	}
	return filepath.Join(data, "swarmfs")
}

// storeDir is the absolute path of the store that a command line means.
func storeDir(c *cli.Context) (string, error) {
	dir := c.String(flagStore)
	if dir == "" {
		return "", usagef(c, "where is the store? HOME is not set, so name it with --store")
	}
	abs, err := filepath.Abs(dir)
	return abs, fail("open store", dir, err)
}

// whenMissing says what becomes of a store or volume that is not there.
type whenMissing int

const (
	refuse whenMissing = iota
	create
)

// withStore opens the store for the time of fn. What fn did is durable when it returns nil.
func (p *program) withStore(c *cli.Context, missing whenMissing, fn func(context.Context, *swarmstore.Store) error) (err error) {
	dir, err := storeDir(c)
	if err != nil {
		return err
	}
	if missing == refuse {
		if err := checkStore(dir); err != nil {
			return err
		}
	}
	logger, err := p.logger(c)
	if err != nil {
		return err
	}
	store, err := swarmstore.Open(c.Context, dir, swarmstore.Options{
		Logger: logger, Password: p.passwordOf(c.String(flagPasswordFile), dir),
		Purpose: "command", Detail: c.Command.Name, Volume: c.String(flagVolume),
	})
	if err != nil {
		return fail("open store", dir, err)
	}
	defer func() { err = errors.Join(err, fail("close store", dir, store.Close())) }()
	return fn(c.Context, store)
}

// checkStore keeps commands that only look from making an empty store where a path is wrong.
func checkStore(dir string) error {
	_, err := os.Stat(filepath.Join(dir, "store.db"))
	if errors.Is(err, fs.ErrNotExist) {
		return fail("open store", dir, errors.New("there is no store; swarmfs mount and put make one, --store names another"))
	}
	return fail("open store", dir, err)
}

// withVolume opens the store and the volume that the command line names for the time of fn.
func (p *program) withVolume(c *cli.Context, missing whenMissing, fn func(context.Context, *swarmstore.Volume) error) error {
	return p.withStore(c, missing, func(ctx context.Context, store *swarmstore.Store) error {
		volume, err := p.openVolume(ctx, store, c.String(flagVolume), missing)
		if err != nil {
			return err
		}
		return fn(ctx, volume)
	})
}

func (p *program) openVolume(ctx context.Context, store *swarmstore.Store, name string, missing whenMissing) (*swarmstore.Volume, error) {
	volume, err := store.OpenVolume(ctx, name)
	if missing == create && errors.Is(err, swarmstore.ErrVolumeNotFound) {
		volume, err = p.createVolume(ctx, store, name, swarmstore.DefaultKey)
		if errors.Is(err, swarmstore.ErrVolumeExists) { // another process was faster
			volume, err = store.OpenVolume(ctx, name)
		}
	}
	return volume, fail("open volume", name, err)
}

// createVolume makes a volume that belongs to the user who runs the program, and its key if
// there is none of that name.
func (p *program) createVolume(ctx context.Context, store *swarmstore.Store, name, key string) (*swarmstore.Volume, error) {
	volume, err := store.CreateVolume(ctx, name, swarmstore.VolumeOptions{Key: key})
	if err != nil {
		return nil, err
	}
	owner, err := store.Keys().Address(key)
	if err != nil {
		return nil, err
	}
	p.notef("created volume %s, owned by %s", name, address(owner))
	return volume, nil
}

// address writes an Ethereum address.
func address(a [20]byte) string { return fmt.Sprintf("0x%x", a) }
