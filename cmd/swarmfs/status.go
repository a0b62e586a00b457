package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) statusCommand() *cli.Command {
	return &cli.Command{
		Name:  "status",
		Usage: "show who uses the store and where its content stands",
		Description: "Content climbs from staged (written) over local (sealed, durable on this disk) and node (a Bee node\n" +
			"has it) to network.",
		UsageText: examples(
			"swarmfs status",
			"swarmfs status --json | jq '.sessions[] | select(.purpose==\"mount\")'",
		),
		Flags:  []cli.Flag{&cli.BoolFlag{Name: flagJSON, Usage: "write a JSON object"}},
		Action: p.status,
	}
}

// statusEntry and its parts are the JSON form of a store's status.
type statusEntry struct {
	Store    string         `json:"store"`
	Sessions []sessionEntry `json:"sessions"`
	Volumes  []volumeEntry  `json:"volumes"`
	Content  []rungEntry    `json:"content"`
	Cache    int64          `json:"cache_limit"` // bytes, 0: none
	Disk     diskEntry      `json:"disk"`
}

type sessionEntry struct {
	PID     int       `json:"pid"`
	Purpose string    `json:"purpose"`
	Detail  string    `json:"detail,omitempty"`
	Volume  string    `json:"volume,omitempty"`
	Started time.Time `json:"started"`
	Alive   bool      `json:"alive"`
}

type rungEntry struct {
	Rung   string `json:"rung"`
	Blocks int64  `json:"blocks"`
	Bytes  int64  `json:"bytes"`
}

type diskEntry struct {
	Bytes     uint64 `json:"bytes"`
	Available uint64 `json:"available"`
}

func newStatusEntry(st swarmstore.Status) statusEntry {
	e := statusEntry{
		Store: st.Dir, Cache: st.CacheSize, Volumes: newVolumeEntries(st.Volumes),
		Sessions: []sessionEntry{}, Content: []rungEntry{},
		Disk: diskEntry{st.Disk.Blocks * uint64(st.Disk.BlockSize), st.Disk.Available * uint64(st.Disk.BlockSize)},
	}
	for _, s := range st.Sessions {
		if s.PID == os.Getpid() {
			continue // this command, which is over when somebody reads it
		}
		e.Sessions = append(e.Sessions, sessionEntry{s.PID, s.Purpose, s.Detail, s.Volume, s.Started.UTC(), s.Alive})
	}
	for _, r := range st.Rungs {
		e.Content = append(e.Content, rungEntry{r.Rung.String(), r.Blocks, r.Bytes})
	}
	return e
}

func (p *program) status(c *cli.Context) error {
	if c.Args().Present() {
		return usagef(c, "it takes no arguments")
	}
	return p.withStore(c, refuse, func(ctx context.Context, store *swarmstore.Store) error {
		st, err := store.Status(ctx)
		if err != nil {
			return fail("read status of", store.Dir(), err)
		}
		e := newStatusEntry(st)
		if c.Bool(flagJSON) {
			return p.printJSON(e)
		}
		return p.showStatus(e)
	})
}

func (p *program) showStatus(e statusEntry) error {
	p.printf("Store %s, %s available on its disk\n\nVolumes\n", e.Store, humanize.IBytes(e.Disk.Available))
	if len(e.Volumes) == 0 {
		p.printf("  none yet; swarmfs mount and put make one\n")
	} else if err := p.showVolumes("  ", e.Volumes); err != nil {
		return err
	}
	p.printf("\nIn use by\n")
	if len(e.Sessions) == 0 {
		p.printf("  nobody\n")
	}
	for _, s := range e.Sessions {
		p.printf("  %s\n", p.sessionText(s))
	}
	p.printf("\nContent\n")
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	for _, r := range e.Content {
		fmt.Fprintf(table, "  %s\t%s\t%s\n", r.Rung, humanize.IBytes(uint64(r.Bytes)), count(r.Blocks, "block"))
	}
	return table.Flush()
}

// sessionText is a line such as: mount of photos at /mnt/photos, process 123 since 2 hours ago.
func (p *program) sessionText(s sessionEntry) string {
	var b strings.Builder
	b.WriteString(s.Purpose)
	if s.Volume != "" {
		b.WriteString(" of " + p.displayName(s.Volume))
	}
	if s.Detail != "" {
		b.WriteString(" at " + p.displayName(s.Detail))
	}
	fmt.Fprintf(&b, ", process %d, started %s", s.PID, humanize.Time(s.Started))
	if !s.Alive {
		b.WriteString("; it has died, and what it left is taken over by the next to open the store")
	}
	return b.String()
}

// count writes a number of things: 1 block, 2 blocks.
func count(n int64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return humanize.Comma(n) + " " + thing + "s"
}
