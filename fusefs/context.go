package fusefs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// requestContext is a context that ends when the kernel interrupts the request. It is the channel that go-fuse hands
// out and nothing else, so that a request costs no goroutine. It must not be kept after the
// request is answered, because go-fuse uses the channel again for a later one.
type requestContext struct{ interrupted <-chan struct{} }

var _ context.Context = requestContext{}

func (requestContext) Deadline() (time.Time, bool) { return time.Time{}, false }
func (requestContext) Value(any) any               { return nil }

func (c requestContext) Done() <-chan struct{} { return c.interrupted }

func (c requestContext) Err() error {
	select {
	case <-c.interrupted:
		return context.Canceled
	default:
		return nil
	}
}

// interruptible runs op, which may have to wait for the network, so that killing the caller ends the wait.
//
// The kernel interrupts a request at every signal, also at those that the caller handles and goes on after: a timer, a
// child's end, the Go scheduler's preemption. On a local filesystem none of them makes a file operation fail, and most
// programs do not expect it. So op is run again, uninterrupted, unless the caller is about to die. Operations
// that change something are never interrupted: they are local and short.
func (fs *fileSystem) interruptible(cancel <-chan struct{}, pid uint32, op func(context.Context) error) error {
	err := op(requestContext{cancel})
	if err == nil || !errors.Is(err, context.Canceled) || dying(pid) {
		return err
	}
	return op(fs.ctx)
}

// dying reports whether a thread has a fatal signal pending: the kernel turns every one that will end the process into
// a pending SIGKILL of each thread. A thread that cannot be looked at counts as dying.
func dying(pid uint32) bool {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return true
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if mask, ok := strings.CutPrefix(s.Text(), "SigPnd:"); ok {
			return killPending(mask)
		}
	}
	return true
}

// killPending reads a signal mask as /proc/PID/status shows it.
func killPending(mask string) bool {
	bits, err := strconv.ParseUint(strings.TrimSpace(mask), 16, 64)
	return err != nil || bits&(1<<(unix.SIGKILL-1)) != 0
}
