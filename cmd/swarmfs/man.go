package main

import (
	"fmt"

	"github.com/urfave/cli/v2"
)

// manCommand is for those who package the program.
func (p *program) manCommand() *cli.Command {
	return &cli.Command{
		Name:      "man",
		Usage:     "write the manual page",
		Hidden:    true,
		UsageText: examples("swarmfs man > /usr/local/share/man/man1/swarmfs.1"),
		Action: func(*cli.Context) error {
			app := p.app()
			describe(app.Commands)
			page, err := app.ToManWithSection(1)
			if err != nil {
				return fmt.Errorf("manual page: %w", err)
			}
			p.printf("%s", page)
			return nil
		},
	}
}

// describe moves descriptions to where the library looks for them when it writes the page.
func describe(commands []*cli.Command) {
	for _, command := range commands {
		if command.Description != "" {
			command.Usage += "\n\n" + command.Description
		}
		describe(command.Subcommands)
	}
}
