package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
	"swarmfs/swarmstore/keys"
)

func (p *program) keyCommand() *cli.Command {
	return &cli.Command{
		Name:  "key",
		Usage: "manage the keys that own volumes",
		Subcommands: []*cli.Command{
			{
				Name: "list", Aliases: []string{"ls"}, Usage: "list keys and their addresses",
				UsageText: examples("swarmfs key list"),
				Flags:     []cli.Flag{&cli.BoolFlag{Name: flagJSON, Usage: "write a JSON array"}},
				Action:    p.keyList,
			},
			{
				Name: "show", Usage: "show the address of a key", ArgsUsage: "[NAME]",
				UsageText: examples("swarmfs key show"),
				Action:    p.keyShow,
			},
			{
				Name: "create", Usage: "make a key", ArgsUsage: "NAME",
				UsageText: examples("swarmfs key create alice", "swarmfs --password-file - key create alice      asks for a password"),
				Action:    p.keyCreate,
			},
			{
				Name: "export", Usage: "write the key file of a key to standard output", ArgsUsage: "[NAME]",
				Description: "The file has the Web3 secret storage form that wallets and Bee nodes read. It is encrypted with\n" +
					"the password of the store's keys.",
				UsageText: examples("swarmfs key export > default.json"),
				Action:    p.keyExport,
			},
			{
				Name: "import", Usage: "add a key from a key file or a private key", ArgsUsage: "NAME [FILE]",
				Description: "FILE is a Web3 secret storage file, or holds a private key as 64 hexadecimal digits; without\n" +
					"FILE, or with -, standard input is read.",
				UsageText: examples(
					"swarmfs key import alice UTC--2024-01-01T00-00-00Z--0123.json",
					"swarmfs key import --file-password-file secret.txt alice < alice.json",
				),
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "file-password-file", TakesFile: true, Usage: "`FILE` with the password of the imported file", DefaultText: "asked for at the terminal"},
				},
				Action: p.keyImport,
			},
		},
	}
}

// keyEntry is the JSON form of a key.
type keyEntry struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

func (p *program) keyList(c *cli.Context) error {
	return p.withStore(c, refuse, func(_ context.Context, store *swarmstore.Store) error {
		found, err := store.Keys().List()
		if err != nil {
			p.complain(err) // it names the unusable ones; the others follow
			err = exitStatus(exitFailed)
		}
		entries := make([]keyEntry, 0, len(found))
		for _, k := range found {
			entries = append(entries, keyEntry{k.Name, address(k.Address)})
		}
		if c.Bool(flagJSON) {
			return errors.Join(p.printJSON(entries), err)
		}
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "NAME\tADDRESS")
		for _, e := range entries {
			fmt.Fprintf(table, "%s\t%s\n", p.displayName(e.Name), e.Address)
		}
		return errors.Join(table.Flush(), err)
	})
}

// keyName is the key that a command line names, the default one if it names none.
func keyName(c *cli.Context) (string, error) {
	if !c.Args().Present() {
		return swarmstore.DefaultKey, nil
	}
	return oneName(c, "key")
}

func (p *program) keyShow(c *cli.Context) error {
	name, err := keyName(c)
	if err != nil {
		return err
	}
	return p.withStore(c, refuse, func(_ context.Context, store *swarmstore.Store) error {
		owner, err := store.Keys().Address(name)
		if err != nil {
			return fail("show key", name, err)
		}
		p.printf("%s\n", address(owner))
		return nil
	})
}

func (p *program) keyCreate(c *cli.Context) error {
	name, err := oneName(c, "key")
	if err != nil {
		return err
	}
	return p.withStore(c, create, func(_ context.Context, store *swarmstore.Store) error {
		owner, err := store.Keys().Create(name)
		if err != nil {
			return fail("create key", name, err)
		}
		p.printf("%s\n", address(owner))
		return nil
	})
}

func (p *program) keyExport(c *cli.Context) error {
	name, err := keyName(c)
	if err != nil {
		return err
	}
	return p.withStore(c, refuse, func(_ context.Context, store *swarmstore.Store) error {
		content, err := store.Keys().Export(name)
		if err != nil {
			return fail("export key", name, err)
		}
		p.printf("%s\n", strings.TrimSpace(string(content)))
		return nil
	})
}

func (p *program) keyImport(c *cli.Context) error {
	if c.NArg() < 1 || c.NArg() > 2 {
		return usagef(c, "want a name for the key and the file to import")
	}
	name, file := c.Args().Get(0), c.Args().Get(1)
	content, err := p.readInput(file)
	if err != nil {
		return fail("import key from", file, err)
	}
	return p.withStore(c, create, func(_ context.Context, store *swarmstore.Store) error {
		owner, err := p.importKey(c, store.Keys(), name, content)
		if err != nil {
			return fail("import key", name, err)
		}
		p.printf("%s\n", address(owner))
		return nil
	})
}

func (p *program) importKey(c *cli.Context, ring *keys.Ring, name string, content []byte) (owner [keys.AddressSize]byte, err error) {
	if !strings.HasPrefix(strings.TrimSpace(string(content)), "{") {
		return ring.ImportHex(name, string(content))
	}
	if _, err := ring.Address(name); err == nil { // before a person is asked for a password
		return owner, keys.ErrExists
	}
	var password string
	if file := c.String("file-password-file"); file != "" {
		password, err = keys.ReadPassword(file)
	} else {
		password, err = p.prompt("Password of the file to import: ", false)
	}
	if err != nil {
		return owner, err
	}
	return ring.Import(name, content, password)
}

// maxInput bounds what is read as a key: whatever is larger was named by mistake.
const maxInput = 64 << 10

// readInput reads a file, or standard input for "" and "-".
func (p *program) readInput(file string) ([]byte, error) {
	in := p.stdin
	if file != "" && file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	content, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(content) > maxInput {
		err = fmt.Errorf("larger than %d bytes, so it is no key", maxInput)
	}
	return content, err
}
