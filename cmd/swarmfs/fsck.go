package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

// Exit statuses of fsck(8).
const (
	fsckRepaired    = 1
	fsckErrorsLeft  = 4
	fsckOperational = 8
)

func (p *program) fsckCommand() *cli.Command {
	return &cli.Command{
		Name:  "fsck",
		Usage: "verify a store, and repair it",
		Description: "Verifies the database, every directory entry, and all content against its Swarm references, and\n" +
			"names the files concerned. It may run while the store is in use; repairs need it for themselves.\n\n" +
			"Exit status: 0 clean, 1 all errors repaired, 4 errors left, 8 the check failed, 2 usage.",
		UsageText: examples(
			"swarmfs fsck",
			"swarmfs fsck --repair",
			"swarmfs fsck --volume photos --path /2024",
		),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "path", Usage: "look only at `PATH` of the volume and what is below it"},
			&cli.BoolFlag{Name: "repair", Usage: "put right what can be put right"},
			&cli.BoolFlag{Name: flagJSON, Usage: "write a JSON object"},
		},
		Action: p.fsck,
	}
}

func (p *program) fsck(c *cli.Context) error {
	if c.Args().Present() {
		return usagef(c, "it takes no arguments; --path names files")
	}
	options := swarmstore.FsckOptions{Repair: c.Bool("repair")}
	if c.IsSet("path") || c.IsSet(flagVolume) {
		if options.Repair {
			return usagef(c, "repairs are of the whole store, without --path and --volume")
		}
		options.Volume, options.Path = c.String(flagVolume), clean(c.String("path"))
	}
	err := p.withStore(c, refuse, func(ctx context.Context, store *swarmstore.Store) error {
		return p.fsckStore(ctx, c, store, options)
	})
	var status exitStatus
	if err != nil && !errors.As(err, &status) {
		p.report(c.Context, err)
		return exitStatus(fsckOperational)
	}
	return err
}

func (p *program) fsckStore(ctx context.Context, c *cli.Context, store *swarmstore.Store, options swarmstore.FsckOptions) error {
	if options.Repair {
		if err := checkUnused(ctx, store); err != nil {
			return fail("repair", store.Dir(), err)
		}
	}
	progress := p.newProgress("verifying", unknownTotal, true)
	options.Progress = progress.set
	started := time.Now()
	report, err := store.Fsck(ctx, options)
	progress.finish()
	if err != nil {
		return fail("check", store.Dir(), err)
	}
	if c.Bool(flagJSON) {
		err = p.printJSON(newFsckEntry(report))
	} else {
		p.showFsck(report, time.Since(started))
	}
	return errors.Join(err, fsckStatus(report))
}

// checkUnused makes sure that no other process has the store open.
func checkUnused(ctx context.Context, store *swarmstore.Store) error {
	st, err := store.Status(ctx)
	if err != nil {
		return err
	}
	for _, s := range newStatusEntry(st).Sessions {
		if s.Alive {
			return fmt.Errorf("process %d (%s %s) uses it; repairs need the store for themselves", s.PID, s.Purpose, s.Detail)
		}
	}
	return nil
}

// fsckStatus is the exit status that a report asks for. Harmless leftovers are no errors, but
// their removal is a change.
func fsckStatus(report *swarmstore.FsckReport) error {
	if !report.Clean() {
		return exitStatus(fsckErrorsLeft)
	}
	if slices.ContainsFunc(report.Problems, func(found swarmstore.FsckProblem) bool { return found.Repaired }) {
		return exitStatus(fsckRepaired)
	}
	return nil
}

// fsckEntry is the JSON form of what fsck found.
type fsckEntry struct {
	Clean    bool           `json:"clean"`
	Nodes    int64          `json:"nodes"`
	Blocks   int64          `json:"blocks"`
	Bytes    int64          `json:"bytes"`
	Problems []problemEntry `json:"problems"`
}

type problemEntry struct {
	Volume   string `json:"volume,omitempty"`
	Path     string `json:"path,omitempty"`
	What     string `json:"what"`
	Harmless bool   `json:"harmless"`
	Repaired bool   `json:"repaired"`
}

func newFsckEntry(report *swarmstore.FsckReport) fsckEntry {
	e := fsckEntry{report.Clean(), report.Nodes, report.Blocks, report.Bytes, []problemEntry{}}
	for _, found := range report.Problems {
		e.Problems = append(e.Problems, problemEntry{found.Volume, found.Path, found.What, found.Harmless, found.Repaired})
	}
	return e
}

func (p *program) showFsck(report *swarmstore.FsckReport, took time.Duration) {
	var repaired, harmless, left int64
	for _, found := range report.Problems {
		p.printf("%s\n", p.displayName(found.String()))
		switch {
		case found.Repaired:
			repaired++
		case found.Harmless:
			harmless++
		default:
			left++
		}
	}
	result := "clean"
	if repaired+left > 0 {
		result = fmt.Sprintf("%s repaired, %d left", count(repaired, "error"), left)
	}
	if harmless > 0 {
		result += fmt.Sprintf(", %s that --repair removes", count(harmless, "leftover"))
	}
	p.printf("verified %s, %s, %s in %s: %s\n", count(report.Nodes, "node"), count(report.Blocks, "block"),
		humanize.IBytes(uint64(report.Bytes)), took.Round(10*time.Millisecond), result)
}
