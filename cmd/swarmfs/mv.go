package main

import (
	"context"
	"errors"
	"path"
	"strings"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) mvCommand() *cli.Command {
	return &cli.Command{
		Name:        "mv",
		Usage:       "rename or move files of a volume",
		ArgsUsage:   "FROM... TO",
		Description: "A file that is there already is replaced. Into a directory if TO is one.",
		UsageText: examples(
			"swarmfs mv /draft.txt /final.txt",
			"swarmfs mv /a.jpg /b.jpg /photos",
		),
		Action: p.mv,
	}
}

func (p *program) mv(c *cli.Context) error {
	if c.NArg() < 2 {
		return usagef(c, "from where to where?")
	}
	names := c.Args().Slice()
	sources, to := names[:len(names)-1], names[len(names)-1]
	return p.withVolume(c, refuse, func(ctx context.Context, v *swarmstore.Volume) error {
		into, err := intoDirectory(ctx, v, to, len(sources) > 1)
		if err != nil {
			return fail("move to", to, err)
		}
		var failed error
		for _, from := range sources {
			target := clean(to)
			if into {
				target = path.Join(target, path.Base(clean(from)))
			}
			if err := v.MovePath(ctx, clean(from), target); err != nil {
				p.complain(fail("move", from, err))
				failed = exitStatus(exitFailed)
			}
		}
		return failed
	})
}

// intoDirectory tells whether what is sent to a path of the volume goes into it, as a directory,
// or takes its place. It must be a directory if there are several things, or a slash at its end.
func intoDirectory(ctx context.Context, v *swarmstore.Volume, to string, several bool) (bool, error) {
	a, err := v.Stat(ctx, clean(to))
	must := several || strings.HasSuffix(to, "/")
	switch {
	case err == nil && a.IsDir():
		return true, nil
	case err == nil && must:
		return false, swarmstore.ErrNotDir
	case errors.Is(err, swarmstore.ErrNotExist) && !must:
		return false, nil
	}
	return false, err
}
