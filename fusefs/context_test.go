package fusefs

import (
	"context"
	"errors"
	"os"
	"testing"
)

func TestRequestContext(t *testing.T) {
	interrupted := make(chan struct{})
	ctx := requestContext{interrupted}
	if err := ctx.Err(); err != nil {
		t.Errorf("before: %v", err)
	}
	close(interrupted)
	<-ctx.Done()
	if err := ctx.Err(); !errors.Is(err, context.Canceled) {
		t.Errorf("after: %v", err)
	}
}

// TestInterruptionOfALivingCaller is a signal that the caller handles: the operation must succeed nevertheless.
func TestInterruptionOfALivingCaller(t *testing.T) {
	fs := &fileSystem{ctx: t.Context()}
	interrupted := make(chan struct{})
	close(interrupted)
	calls := 0
	op := func(ctx context.Context) error {
		calls++
		return ctx.Err()
	}
	if err := fs.interruptible(interrupted, uint32(os.Getpid()), op); err != nil || calls != 2 {
		t.Errorf("got %v after %d calls", err, calls)
	}
	const nobody = 1<<22 + 1 // beyond the largest process number
	if err := fs.interruptible(interrupted, nobody, op); !errors.Is(err, context.Canceled) {
		t.Errorf("a dead caller: got %v", err)
	}
}

func TestKillPending(t *testing.T) {
	for mask, want := range map[string]bool{
		"\t0000000000000000": false,
		"\t0000000000000100": true,
		"\t0000000000004102": true,
		"\t0000000000004002": false,
		"rubbish":            true,
	} {
		if got := killPending(mask); got != want {
			t.Errorf("%q: got %t, want %t", mask, got, want)
		}
	}
}

func FuzzKillPending(f *testing.F) {
	f.Add("\t0000000000000100")
	f.Fuzz(func(_ *testing.T, mask string) { killPending(mask) })
}
