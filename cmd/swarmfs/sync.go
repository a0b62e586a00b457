package main

import (
	"context"
	"errors"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
)

func (p *program) syncCommand() *cli.Command {
	return &cli.Command{
		Name:        "sync",
		Usage:       "seal what is staged and make everything durable",
		Description: "When it returns, what this and ended processes wrote is sealed into blocks on the local disk.",
		UsageText:   examples("swarmfs sync"),
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef(c, "it takes no arguments")
			}
			return p.withStore(c, refuse, func(ctx context.Context, store *swarmstore.Store) error {
				return fail("sync", store.Dir(), errors.Join(store.Seal(ctx), store.Sync(ctx)))
			})
		},
	}
}
