// Package tools runs programs that people use on a swarmfs mount and checks
// what they did: fio, stress-ng, git, rsync, SQLite, vim, the Go toolchain and
// others. Each test is one program on a fresh mount.
//
// The programs verify their own data wherever they can; where they cannot, the
// test compares with the same done on a local directory. With -short the sizes
// are small. A program that is not installed skips its test with the name of
// the Debian package, or fails it with CI=true.
package tools

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"swarmfs/test/harness"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// scaled returns short with -short and full without.
func scaled[T any](short, full T) T {
	if testing.Short() {
		return short
	}
	return full
}

// command is a program to run.
type command struct {
	dir   string // where; empty: here
	env   []string
	stdin string
	limit time.Duration // 0: two minutes, or an hour without -short
	args  []string
}

// run runs a program that must succeed and returns its output.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return command{dir: dir, args: args}.run(t)
}

func (c command) run(t *testing.T) string {
	t.Helper()
	out, err := c.try()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(c.args, " "), err, tail(out))
	}
	return out
}

// try runs the program and returns its output and how it ended.
func (c command) try() (string, error) {
	limit := c.limit
	if limit == 0 {
		limit = scaled(2*time.Minute, time.Hour)
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdin = strings.NewReader(c.stdin)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	// The whole group: many of these programs fork workers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return out.String(), err
}

// tail returns the last part of a long output.
func tail(out string) string {
	const most = 4000
	if len(out) <= most {
		return out
	}
	return "[...]\n" + out[len(out)-most:]
}

// mount mounts a fresh store.
func mount(t *testing.T) *harness.FS {
	t.Helper()
	return harness.Mount(t, harness.Options{})
}
