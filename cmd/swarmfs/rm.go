package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) rmCommand() *cli.Command {
	return &cli.Command{
		Name:      "rm",
		Usage:     "remove files of a volume",
		ArgsUsage: "PATH...",
		UsageText: examples(
			"swarmfs rm /old.txt",
			"swarmfs rm -r /old",
		),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"r", "R"}, Usage: "remove directories with all they hold"},
			&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "say nothing about files that are not there"},
		},
		Action: p.rm,
	}
}

func (p *program) rm(c *cli.Context) error {
	if !c.Args().Present() {
		if c.Bool("force") { // as in scripts whose list happens to be empty
			return nil
		}
		return usagef(c, "which files?")
	}
	return p.withVolume(c, refuse, func(ctx context.Context, v *swarmstore.Volume) error {
		var failed error
		for _, name := range c.Args().Slice() {
			err := remove(ctx, v, clean(name), c.Bool("recursive"))
			if err == nil || c.Bool("force") && errors.Is(err, swarmstore.ErrNotExist) {
				continue
			}
			p.complain(fail("remove", name, err))
			failed = exitStatus(exitFailed)
		}
		return failed
	})
}

func remove(ctx context.Context, v *swarmstore.Volume, name string, recursive bool) error {
	if name == "/" {
		return errors.New("that is the whole volume; remove it with swarmfs volume remove")
	}
	a, err := v.Lstat(ctx, name)
	if err != nil {
		return err
	}
	if !a.IsDir() {
		return v.Remove(ctx, name)
	}
	if !recursive {
		return errors.New("it is a directory; remove it with all it holds by rm -r")
	}
	return v.RemoveAll(ctx, name)
}
