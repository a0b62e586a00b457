package model

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"swarmfs/test/harness"
)

const (
	commands        = 60
	commandDeadline = 30 * time.Second
	// visible is how soon a mount shows what another process committed: a second,
	// by the design, and some patience for a loaded machine.
	visible = 5 * time.Second
)

// TestCommandLine uses one store through a mount and through commands at the
// same time, each in a subtree of its own.
func TestCommandLine(t *testing.T) {
	if *dirFlag != "" {
		t.Skip("-dir names a mount, but commands need its store")
	}
	p := newPair(t)
	if err := prepareShared(p, 1); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	var wg sync.WaitGroup
	wg.Go(func() {
		startWorker(t, job{Local: p.local, Mount: p.mount, Number: 0, Of: 1, Seed: seed, Steps: 3 * workerSteps})
	})
	wg.Go(func() {
		c := &commander{fs: p.fs, mirror: p.local, scratch: t.TempDir(), rnd: rand.New(rand.NewPCG(seed, 1))}
		if err := c.run(t.Context()); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	takeLog(t, p, 1)
	compareSoon(t, p)
	p.fs.Remount(t)
	compareNow(t, p)
}

// compareSoon compares until the mount shows what the commands did.
func compareSoon(t *testing.T, p *pair) {
	t.Helper()
	deadline := time.Now().Add(visible)
	for {
		err := compareTrees(p.local, p.mount)
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("still after %v: %v", visible, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// A commander runs commands on a store and does the same to a local directory.
type commander struct {
	fs      *harness.FS
	mirror  string
	scratch string
	rnd     *rand.Rand
}

// commandTree is the subtree that commands work in.
const commandTree = "commands"

func (c *commander) run(ctx context.Context) error {
	if err := c.both(ctx, func() error { return os.Mkdir(c.path(""), 0o755) }, "mkdir", remote("")); err != nil {
		return err
	}
	for i := range commands {
		if err := c.step(ctx, i); err != nil {
			return fmt.Errorf("command %d: %w", i, err)
		}
	}
	return nil
}

func (c *commander) step(ctx context.Context, i int) error {
	from, to := c.name(), c.name()
	_, err := os.Lstat(c.path(from))
	exists := err == nil
	switch kind := c.rnd.IntN(4); {
	case !exists || kind < 2:
		return c.put(ctx, from, i)
	case kind == 2:
		return c.both(ctx, func() error { return os.Remove(c.path(from)) }, "rm", remote(from))
	case from == to:
		return nil
	default:
		return c.both(ctx, func() error { return os.Rename(c.path(from), c.path(to)) }, "mv", remote(from), remote(to))
	}
}

func (c *commander) put(ctx context.Context, name string, serial int) error {
	data := make([]byte, c.rnd.IntN(3*blockSize))
	for i := range data {
		data[i] = byte(i*serial + i>>10)
	}
	source := filepath.Join(c.scratch, "source")
	write := func(path string) error {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return err
		}
		return os.Chmod(path, 0o644)
	}
	if err := write(source); err != nil {
		return err
	}
	return c.both(ctx, func() error { return write(c.path(name)) }, "put", source, remote(name))
}

// both runs a command and its local counterpart, which must both succeed.
func (c *commander) both(ctx context.Context, local func() error, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, commandDeadline)
	defer cancel()
	if out, err := c.fs.Command(ctx, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("swarmfs %v: %w\n%s", args, err, out)
	}
	return local()
}

func (c *commander) name() string { return fmt.Sprint("file", c.rnd.IntN(6)) }

func (c *commander) path(name string) string { return filepath.Join(c.mirror, commandTree, name) }

func remote(name string) string { return "/" + filepath.Join(commandTree, name) }
