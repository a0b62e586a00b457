package main

import (
	"context"
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) catCommand() *cli.Command {
	return &cli.Command{
		Name:      "cat",
		Usage:     "write files of a volume to standard output",
		ArgsUsage: "PATH...",
		UsageText: examples(
			"swarmfs cat /notes.txt",
			"swarmfs cat /backup.tar.gz | tar -xzf -",
		),
		Action: p.cat,
	}
}

func (p *program) cat(c *cli.Context) error {
	if !c.Args().Present() {
		return usagef(c, "which files?")
	}
	return p.withVolume(c, refuse, func(ctx context.Context, v *swarmstore.Volume) error {
		var failed error
		for _, name := range c.Args().Slice() {
			err := copyOut(ctx, v, clean(name), p.stdout)
			if err == nil {
				continue
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			p.complain(fail("read", name, err))
			failed = exitStatus(exitFailed)
		}
		return failed
	})
}

// readSize is the size of reads: two blocks, so that the next one is being read while the
// receiver takes its time.
const readSize = 1 << 20

// copyOut writes the content of a file to w.
func copyOut(ctx context.Context, v *swarmstore.Volume, name string, w io.Writer) (err error) {
	f, err := v.Open(ctx, name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	buffer := make([]byte, readSize)
	for at := int64(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := f.ReadAt(ctx, buffer, at)
		if _, err := w.Write(buffer[:n]); err != nil {
			return err
		}
		at += int64(n)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
