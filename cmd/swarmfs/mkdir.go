package main

import (
	"context"
	"strconv"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) mkdirCommand() *cli.Command {
	return &cli.Command{
		Name:      "mkdir",
		Usage:     "make directories in a volume",
		ArgsUsage: "PATH...",
		UsageText: examples(
			"swarmfs mkdir /photos",
			"swarmfs mkdir -p /photos/2024/summer",
		),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "parents", Aliases: []string{"p"}, Usage: "make those above it too, and accept what is there already"},
			&cli.StringFlag{Name: "mode", Aliases: []string{"m"}, Usage: "octal `MODE` of the new directories", Value: "755"},
		},
		Action: p.mkdir,
	}
}

func (p *program) mkdir(c *cli.Context) error {
	if !c.Args().Present() {
		return usagef(c, "which directories?")
	}
	mode, err := parseMode(c)
	if err != nil {
		return err
	}
	return p.withVolume(c, create, func(ctx context.Context, v *swarmstore.Volume) error {
		mkdir := v.Mkdir
		if c.Bool("parents") {
			mkdir = v.MkdirAll
		}
		var failed error
		for _, name := range c.Args().Slice() {
			if err := mkdir(ctx, clean(name), mode); err != nil {
				p.complain(fail("make directory", name, err))
				failed = exitStatus(exitFailed)
			}
		}
		return failed
	})
}

// parseMode reads --mode.
func parseMode(c *cli.Context) (uint32, error) {
	mode, err := strconv.ParseUint(c.String("mode"), 8, 32)
	if err != nil || mode > permissionBits {
		return 0, usagef(c, "--mode %q: want an octal number up to 7777", c.String("mode"))
	}
	return uint32(mode), nil
}
