package main

import (
	"context"
	"fmt"
	"path"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) statCommand() *cli.Command {
	return &cli.Command{
		Name:      "stat",
		Usage:     "show what is known of files in a volume",
		ArgsUsage: "PATH...",
		UsageText: examples(
			"swarmfs stat /photos/cat.jpg",
			"swarmfs stat --json /photos/cat.jpg | jq -r '.[0].reference'",
		),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "dereference", Aliases: []string{"L"}, Usage: "show what a symlink leads to"},
			&cli.BoolFlag{Name: flagJSON, Usage: "write a JSON array"},
		},
		Action: p.stat,
	}
}

func (p *program) stat(c *cli.Context) error {
	if !c.Args().Present() {
		return usagef(c, "which files?")
	}
	return p.withVolume(c, refuse, func(ctx context.Context, v *swarmstore.Volume) error {
		lookup := v.Lstat
		if c.Bool("dereference") {
			lookup = v.Stat
		}
		var failed error
		entries := []entry{}
		for _, name := range c.Args().Slice() {
			e, err := statEntry(ctx, v, clean(name), lookup)
			if err != nil {
				p.complain(fail("stat", name, err))
				failed = exitStatus(exitFailed)
				continue
			}
			entries = append(entries, e)
		}
		if c.Bool(flagJSON) {
			if err := p.printJSON(entries); err != nil {
				return err
			}
			return failed
		}
		for _, e := range entries {
			if err := p.showStat(e); err != nil {
				return err
			}
		}
		return failed
	})
}

func statEntry(ctx context.Context, v *swarmstore.Volume, name string, lookup func(context.Context, string) (swarmstore.Attr, error)) (entry, error) {
	a, err := lookup(ctx, name)
	if err != nil {
		return entry{}, err
	}
	return newEntry(ctx, v, path.Base(name), name, a)
}

func (p *program) showStat(e entry) error {
	a, names := e.attr, newAccounts()
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(table, "%s:\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("Path", "%s%s", p.displayName(e.Path), p.arrow(e))
	row("Type", "%s", e.Type)
	row("Size", "%d bytes, %d of them allocated", a.Size, a.Allocated)
	row("Inode", "%d, %s", a.Ino, count(int64(a.Nlink), "link"))
	row("Access", "%s (%s), user %s (%d), group %s (%d)", e.Mode, e.modeString(), names.user(a.UID), a.UID, names.group(a.GID), a.GID)
	for _, t := range []struct {
		name string
		at   time.Time
	}{{"Accessed", a.Atime}, {"Modified", a.Mtime}, {"Changed", a.Ctime}, {"Created", a.Btime}} {
		row(t.name, "%s", t.at.Local().Format("2006-01-02 15:04:05.000000000 -0700"))
	}
	if a.IsRegular() {
		row("Reference", "%s", referenceText(a))
	}
	return table.Flush()
}

func referenceText(a swarmstore.Attr) string {
	switch {
	case a.Reference.IsZero():
		return "not sealed yet"
	case !a.Sealed:
		return a.Reference.String() + " (newer bytes are not sealed yet)"
	}
	return a.Reference.String()
}
