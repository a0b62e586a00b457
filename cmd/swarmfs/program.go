package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

// program is one run of the command line. Everything a command reads or says goes through its
// streams.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
}

// run executes the command line, of which the first element is the program's name, and returns
// the exit status.
func (p *program) run(ctx context.Context, args []string) int {
	app := p.app()
	app.Setup() // so that sortArgs knows the flags that the library adds
	err := app.RunContext(ctx, append(args[:1:1], sortArgs(app, args[1:])...))
	return p.report(ctx, err)
}

// Names of the global flags.
const (
	flagStore        = "store"
	flagVolume       = "volume"
	flagLogLevel     = "log-level"
	flagPasswordFile = "password-file"
	flagJSON         = "json"
)

const (
	categoryDisk  = "As a disk"
	categoryFiles = "Files without a mount"
	categoryStore = "Manage the store"
	categoryOther = "Other"
)

func (p *program) app() *cli.App {
	return &cli.App{
		Name:  "swarmfs",
		Usage: "Ethereum Swarm as a disk",
		UsageText: "swarmfs [global options] COMMAND [options] [arguments]\n\n" +
			"swarmfs mount /mnt/swarm      mounts the volume \"default\"\n" +
			"swarmfs umount /mnt/swarm     unmounts it, once everything is written",
		Description: "A store is a directory with volumes; a volume is a tree of files. Both are made when first\n" +
			"needed. Options may stand before or after the arguments.\n\n" +
			"Exit status: 0 done, 1 the operation failed, 2 the arguments made no sense.",
		Version:              version(),
		HideVersion:          false,
		EnableBashCompletion: true,
		Suggest:              true,
		Reader:               p.stdin,
		Writer:               p.stdout,
		ErrWriter:            p.stderr,
		OnUsageError:         usageFailure,
		ExitErrHandler:       func(*cli.Context, error) {}, // run reports, and os.Exit is main's
		Action:               unknownCommand,
		Flags:                globalFlags(),
		Commands:             p.commands(),
	}
}

func globalFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: flagStore, EnvVars: []string{"SWARMFS_STORE"}, TakesFile: true,
			Usage: "`DIR` of the store", Value: defaultStoreDir(), DefaultText: "/var/lib/swarmfs for root, else ~/.local/share/swarmfs",
		},
		&cli.StringFlag{Name: flagVolume, EnvVars: []string{"SWARMFS_VOLUME"}, Usage: "`NAME` of the volume", Value: swarmstore.DefaultVolume},
		&cli.StringFlag{Name: flagLogLevel, EnvVars: []string{"SWARMFS_LOG_LEVEL"}, Usage: "least important `LEVEL` to log: debug, info, warn or error", Value: "info"},
		&cli.StringFlag{
			Name: flagPasswordFile, EnvVars: []string{"SWARMFS_PASSWORD_FILE"}, TakesFile: true,
			Usage:       "`FILE` with the password of the store's keys, - to be asked for it; SWARMFS_PASSWORD may hold the password itself",
			DefaultText: "keys/password in the store, made when first needed",
		},
	}
}

func (p *program) commands() []*cli.Command {
	families := [][]*cli.Command{
		{p.mountCommand(), p.umountCommand()},
		{p.lsCommand(), p.catCommand(), p.putCommand(), p.getCommand(), p.statCommand(), p.rmCommand(), p.mvCommand(), p.mkdirCommand()},
		{p.volumeCommand(), p.keyCommand(), p.statusCommand(), p.syncCommand(), p.fsckCommand()},
		{p.completionCommand(), p.manCommand(), p.versionCommand()},
	}
	categories := []string{categoryDisk, categoryFiles, categoryStore, categoryOther}
	var all []*cli.Command
	for i, family := range families {
		for _, command := range family {
			command.Category = categories[i]
			finish(command)
			all = append(all, command)
		}
	}
	return all
}

// finish gives a command what all of them have.
func finish(command *cli.Command) {
	command.OnUsageError = usageFailure
	for _, flag := range command.Flags {
		if b, ok := flag.(*cli.BoolFlag); ok {
			b.DisableDefaultText = true // that a switch is off by default goes without saying
		}
	}
	if len(command.Subcommands) == 0 {
		// Else the library takes a file named help, or even h, for a subcommand.
		command.HideHelpCommand = true
		command.CustomHelpTemplate = commandHelp
		return
	}
	command.Action = unknownCommand
	for _, sub := range command.Subcommands {
		finish(sub)
	}
}

// unknownCommand is run when the first argument is no command, or there is none.
func unknownCommand(c *cli.Context) error {
	if !c.Args().Present() {
		return errors.Join(showHelp(c), exitStatus(exitUsage))
	}
	name := c.Args().First()
	if suggestion := cli.SuggestCommand(c.Command.Subcommands, name); suggestion != "" {
		return usagef(c, "no command %q; %s", name, strings.ToLower(suggestion[:1])+suggestion[1:])
	}
	return usagef(c, "no command %q", name)
}

func showHelp(c *cli.Context) error {
	if len(c.Lineage()) == 2 { // the program itself, over which the library puts an empty context
		return cli.ShowAppHelp(c)
	}
	return cli.ShowSubcommandHelp(c)
}

// commandHelp shows the examples that UsageText holds under a heading of their own.
const commandHelp = `NAME:
   {{template "helpNameTemplate" .}}

USAGE:
   {{.HelpName}} [options]{{if .ArgsUsage}} {{.ArgsUsage}}{{end}}{{if .Description}}

DESCRIPTION:
   {{template "descriptionTemplate" .}}{{end}}{{if .VisibleFlags}}

OPTIONS:{{template "visibleFlagTemplate" .}}{{end}}

EXAMPLES:
   {{wrap .UsageText 3}}

Global options such as --store and --volume are listed by swarmfs --help.
`

// examples joins lines of a command's help.
func examples(lines ...string) string { return strings.Join(lines, "\n") }

func (p *program) printf(format string, args ...any) {
	fmt.Fprintf(p.stdout, format, args...)
}

// notef tells a person what a script that reads the output does not want to see.
func (p *program) notef(format string, args ...any) {
	fmt.Fprintf(p.stderr, format+"\n", args...)
}
