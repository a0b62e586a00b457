package crash

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// Programs that map files into their memory run in a process of their own: a
// process that touches a mapped page of a file system that was killed dies of
// SIGBUS. That process is this test binary, started again with childEnv set.
const childEnv = "SWARMFS_CRASH_CHILD"

// childPrograms are those that a child runs, with its arguments, until its
// standard input ends. They talk to the parent in lines.
var childPrograms = map[string]func(args []string, in *bufio.Reader, out io.Writer) error{
	"database": databaseChild,
	"mapper":   mapperChild,
}

// RunChild runs the child's part and reports whether this process is a child.
// TestMain calls it first.
func RunChild() (isChild bool, err error) {
	program, isChild := childPrograms[os.Getenv(childEnv)]
	if !isChild {
		return false, nil
	}
	return true, program(os.Args[1:], bufio.NewReader(os.Stdin), os.Stdout)
}

// child is the parent's view of a child.
type child struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  *bufio.Scanner
	stderr strings.Builder
}

func startChild(program string, args ...string) (*child, error) {
	c := &child{cmd: exec.Command("/proc/self/exe", args...)}
	c.cmd.Env = append(os.Environ(), childEnv+"="+program)
	c.cmd.Stderr = &c.stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.lines = bufio.NewScanner(out)
	return c, c.cmd.Start()
}

// tell sends a line. That the child is dead is left to end to report.
func (c *child) tell(format string, args ...any) { fmt.Fprintf(c.in, format+"\n", args...) }

// hear returns the next line, or false when the child has ended.
func (c *child) hear() (string, bool) {
	ok := c.lines.Scan()
	return c.lines.Text(), ok
}

// end closes the child's input and waits for it. If ctx had ended by then, the
// child was told to stop, and how it ended does not matter.
func (c *child) end(ctx context.Context) error {
	stopped := ctx.Err() != nil
	_ = c.in.Close() // it ends either way
	if err := c.cmd.Wait(); err != nil && !stopped {
		return fmt.Errorf("the child process: %w\n%.500s", err, c.stderr.String())
	}
	return nil
}
