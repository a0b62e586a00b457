package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) volumeCommand() *cli.Command {
	return &cli.Command{
		Name:  "volume",
		Usage: "make, list and remove volumes",
		Subcommands: []*cli.Command{
			{
				Name: "create", Usage: "make a volume", ArgsUsage: "NAME",
				UsageText: examples("swarmfs volume create photos", "swarmfs volume create --key alice work"),
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "key", Usage: "`NAME` of the key that owns it, made if there is none", Value: swarmstore.DefaultKey},
				},
				Action: p.volumeCreate,
			},
			{
				Name: "list", Aliases: []string{"ls"}, Usage: "list the volumes of the store",
				UsageText: examples("swarmfs volume list", "swarmfs volume list --json | jq -r '.[].name'"),
				Flags:     []cli.Flag{&cli.BoolFlag{Name: flagJSON, Usage: "write a JSON array"}},
				Action:    p.volumeList,
			},
			{
				Name: "remove", Aliases: []string{"rm"}, Usage: "remove a volume with all it holds", ArgsUsage: "NAME",
				UsageText: examples("swarmfs volume remove --force photos"),
				Flags: []cli.Flag{
					&cli.BoolFlag{Name: "force", Aliases: []string{"f"}, Usage: "even if it holds files"},
				},
				Action: p.volumeRemove,
			},
		},
	}
}

func oneName(c *cli.Context, of string) (string, error) {
	if c.NArg() != 1 || c.Args().First() == "" {
		return "", usagef(c, "want the name of one %s", of)
	}
	return c.Args().First(), nil
}

func (p *program) volumeCreate(c *cli.Context) error {
	name, err := oneName(c, "volume")
	if err != nil {
		return err
	}
	return p.withStore(c, create, func(ctx context.Context, store *swarmstore.Store) error {
		_, err := p.createVolume(ctx, store, name, c.String("key"))
		return fail("create volume", name, err)
	})
}

func (p *program) volumeRemove(c *cli.Context) error {
	name, err := oneName(c, "volume")
	if err != nil {
		return err
	}
	return p.withStore(c, refuse, func(ctx context.Context, store *swarmstore.Store) error {
		if !c.Bool("force") {
			if err := checkEmpty(ctx, store, name); err != nil {
				return fail("remove volume", name, err)
			}
		}
		return fail("remove volume", name, store.RemoveVolume(ctx, name))
	})
}

// checkEmpty keeps a person from losing files by a short command.
func checkEmpty(ctx context.Context, store *swarmstore.Store, name string) error {
	volume, err := store.OpenVolume(ctx, name)
	if err != nil {
		return err
	}
	children, err := volume.List(ctx, "/")
	if err != nil {
		return err
	}
	if len(children) > 0 {
		return errors.New("it holds files; --force removes them with it")
	}
	return nil
}

// volumeEntry is the JSON form of a volume.
type volumeEntry struct {
	Name    string    `json:"name"`
	Owner   string    `json:"owner"`
	Key     string    `json:"key"`
	Nodes   int64     `json:"nodes"`
	Bytes   int64     `json:"bytes"`
	Created time.Time `json:"created"`
}

func newVolumeEntries(volumes []swarmstore.VolumeInfo) []volumeEntry {
	entries := make([]volumeEntry, 0, len(volumes))
	for _, v := range volumes {
		entries = append(entries, volumeEntry{v.Name, address(v.Owner), v.Key, v.Nodes, v.Bytes, v.Created.UTC()})
	}
	return entries
}

func (p *program) volumeList(c *cli.Context) error {
	return p.withStore(c, refuse, func(ctx context.Context, store *swarmstore.Store) error {
		volumes, err := store.Volumes(ctx)
		if err != nil {
			return fail("list volumes of", store.Dir(), err)
		}
		if c.Bool(flagJSON) {
			return p.printJSON(newVolumeEntries(volumes))
		}
		return p.showVolumes("", newVolumeEntries(volumes))
	})
}

// showVolumes prints a table of which each line begins with indent.
func (p *program) showVolumes(indent string, entries []volumeEntry) error {
	table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%sNAME\tNODES\tSIZE\tKEY\tOWNER\tCREATED\n", indent)
	for _, v := range entries {
		fmt.Fprintf(table, "%s%s\t%d\t%s\t%s\t%s\t%s\n",
			indent, p.displayName(v.Name), v.Nodes, humanize.IBytes(uint64(v.Bytes)), p.displayName(v.Key), v.Owner,
			v.Created.Local().Format("2006-01-02 15:04"))
	}
	return table.Flush()
}
