// Command swarmfs mounts volumes of Ethereum Swarm as a disk and manages them from a terminal.
//
// One file holds one command or a small family of them. Each reads its arguments, calls the
// swarmstore package, and says what happened; nothing here knows how a volume is stored.
//
// Exit status: 0 done, 1 the operation failed, 2 the arguments made no sense; fsck has its own,
// which are those of fsck(8).
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	// The first signal asks, the second ends the program whatever it does.
	context.AfterFunc(ctx, stop)
	p := program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(ctx, os.Args))
}
