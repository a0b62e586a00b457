package main

import (
	"context"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) lsCommand() *cli.Command {
	return &cli.Command{
		Name:      "ls",
		Usage:     "list directories of a volume",
		ArgsUsage: "[PATH...]",
		UsageText: examples(
			"swarmfs ls",
			"swarmfs ls -l /photos/2024",
			"swarmfs ls -R --json / | jq -r '.[] | select(.type==\"file\") | .reference'",
		),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "long", Aliases: []string{"l"}, Usage: "show mode, owner, size and time"},
			&cli.BoolFlag{Name: "all", Aliases: []string{"a"}, Usage: "show names that begin with a dot"},
			&cli.BoolFlag{Name: "recursive", Aliases: []string{"R"}, Usage: "list directories below too"},
			&cli.BoolFlag{Name: flagJSON, Usage: "write a JSON array"},
		},
		Action: p.ls,
	}
}

func (p *program) ls(c *cli.Context) error {
	paths := c.Args().Slice()
	if len(paths) == 0 {
		paths = []string{"/"}
	}
	return p.withVolume(c, refuse, func(ctx context.Context, v *swarmstore.Volume) error {
		l := lister{
			p: p, v: v, accounts: newAccounts(), now: time.Now(),
			long: c.Bool("long"), all: c.Bool("all"), recursive: c.Bool("recursive"), json: c.Bool(flagJSON),
			headings: len(paths) > 1 || c.Bool("recursive"),
		}
		var failed error
		for _, name := range paths {
			if err := l.list(ctx, clean(name)); err != nil {
				p.complain(fail("list", name, err))
				failed = exitStatus(exitFailed)
			}
		}
		if l.json {
			if err := p.printJSON(l.collected()); err != nil {
				return err
			}
		}
		return failed
	})
}

// clean makes a path of a volume absolute; everything in a volume hangs from its root.
func clean(name string) string { return path.Clean("/" + name) }

type lister struct {
	p        *program
	v        *swarmstore.Volume
	accounts *accounts
	now      time.Time

	long, all, recursive, json, headings bool

	blocks  int // of output so far, which are separated by empty lines
	entries []entry
}

// collected is what --json shows; an empty directory is an empty array.
func (l *lister) collected() []entry {
	if l.entries == nil {
		return []entry{}
	}
	return l.entries
}

// list shows a directory's entries, or anything else by itself.
func (l *lister) list(ctx context.Context, name string) error {
	a, err := l.v.Stat(ctx, name)
	if err != nil {
		return err
	}
	if a.IsDir() {
		return l.listDir(ctx, name)
	}
	e, err := newEntry(ctx, l.v, path.Base(name), name, a)
	if err != nil {
		return err
	}
	e.Name = strings.TrimPrefix(name, "/")
	l.show("", []entry{e})
	return nil
}

func (l *lister) listDir(ctx context.Context, dir string) error {
	children, err := l.v.List(ctx, dir)
	if err != nil {
		return fail("list", dir, err)
	}
	var entries []entry
	for _, child := range children {
		if !l.all && strings.HasPrefix(child.Name, ".") {
			continue
		}
		e, err := newEntry(ctx, l.v, child.Name, path.Join(dir, child.Name), child.Attr)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	l.show(dir, entries)
	if !l.recursive {
		return nil
	}
	for _, e := range entries {
		if !e.isDir() {
			continue
		}
		if err := l.listDir(ctx, e.Path); err != nil {
			return err
		}
	}
	return nil
}

// show prints the entries of one directory, with its name over them if there are several.
func (l *lister) show(dir string, entries []entry) {
	if l.json {
		l.entries = append(l.entries, entries...)
		return
	}
	if l.headings && dir != "" {
		if l.blocks > 0 {
			l.p.printf("\n")
		}
		l.p.printf("%s:\n", l.p.displayName(dir))
	}
	l.blocks++
	if !l.long {
		for _, e := range entries {
			l.p.printf("%s\n", l.p.displayName(e.Name))
		}
		return
	}
	l.showLong(entries)
}

// showLong aligns the columns of one directory.
func (l *lister) showLong(entries []entry) {
	const links, user, group, size = 0, 1, 2, 3
	rows := make([][4]string, len(entries))
	var width [4]int
	for i, e := range entries {
		rows[i] = [4]string{
			strconv.FormatUint(uint64(e.Links), 10), l.accounts.user(e.UID), l.accounts.group(e.GID), strconv.FormatInt(e.Size, 10),
		}
		for column, text := range rows[i] {
			width[column] = max(width[column], len(text))
		}
	}
	for i, e := range entries {
		row := rows[i]
		l.p.printf("%s %*s %-*s %-*s %*s %s %s%s\n",
			e.modeString(), width[links], row[links], width[user], row[user], width[group], row[group], width[size], row[size],
			listTime(e.Modified, l.now), l.p.displayName(e.Name), l.p.arrow(e))
	}
}

func (p *program) arrow(e entry) string {
	if e.Target == "" {
		return ""
	}
	return " -> " + p.displayName(e.Target)
}

// listTime shows the time of day for the last half year and the year for others, as ls does.
func listTime(t, now time.Time) string {
	const halfYear = 182 * 24 * time.Hour
	t = t.Local()
	if age := now.Sub(t); age < 0 || age > halfYear {
		return t.Format("Jan _2  2006")
	}
	return t.Format("Jan _2 15:04")
}
