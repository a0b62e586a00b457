package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// mapper writes to a file that is mapped into the memory of a child process;
// msync acknowledges. Each time it starts it makes the file empty, because a
// torn cell of the last time would not be one that it can account for.
type mapper struct{ *fileWriter }

const mappedSize = 1 << 20

func newMapper(l *Ledger, seed uint64) Writer {
	w := newFileWriter(l, "mmap", seed, nil)
	w.content.tearable = true
	return &mapper{w}
}

func (w *mapper) Work(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	w.ledger.Enter(func() {
		w.content.truncate(0)
		w.content.truncate(mappedSize)
	})
	c, err := startChild("mapper", filepath.Join(dir, w.kind), w.kind)
	if err != nil {
		return err
	}
	for w.acknowledged(c, "sync") && ctx.Err() == nil {
		w.ledger.Enter(func() {
			w.content.synced()
			w.created = true
		})
		for range 1 + w.rng.IntN(8) {
			w.gen++
			first := w.rng.IntN(mappedSize / CellSize)
			n := 1 + w.rng.IntN(min(64, mappedSize/CellSize-first))
			w.ledger.Enter(func() { w.content.write(first, n, w.gen) })
			if !w.acknowledged(c, "write %d %d %d", first, n, w.gen) {
				break
			}
		}
	}
	return c.end(ctx)
}

// acknowledged tells the child what to do and waits until it has done it.
func (w *mapper) acknowledged(c *child, format string, args ...any) bool {
	c.tell(format, args...)
	_, ok := c.hear()
	return ok
}

// mapperChild maps the file args[0], whose cells are of the name args[1], and
// obeys "write FIRST N GENERATION" and "sync".
func mapperChild(args []string, in *bufio.Reader, out io.Writer) (err error) {
	f, err := os.OpenFile(args[0], os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer f.Close() // msync has the say
	if err := errors.Join(f.Truncate(0), f.Truncate(mappedSize), f.Sync()); err != nil {
		return err
	}
	memory, err := unix.Mmap(int(f.Fd()), 0, mappedSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("mmap: %w", err)
	}
	defer func() { err = errors.Join(err, unix.Munmap(memory)) }()
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil // the test has seen enough
		}
		var first, n int
		var gen uint64
		if _, err := fmt.Sscanf(line, "write %d %d %d", &first, &n, &gen); err == nil {
			copy(memory[first*CellSize:], cells(args[1], int64(first)*CellSize, n, gen))
		} else if err := unix.Msync(memory, unix.MS_SYNC); err != nil {
			return fmt.Errorf("msync: %w", err)
		}
		fmt.Fprintln(out, "ok") // a parent that is gone closes the input as well
	}
}
