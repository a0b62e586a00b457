package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The background process tells the one that started it how its start went over a pipe: the line
// "ready", or "failed" and then the error's text, and closes it. A pipe that closes without a
// word means that the process died.
const (
	readyFDEnv  = "SWARMFS_READY_FD" // number of the pipe's descriptor
	readyWord   = "ready\n"
	failedWord  = "failed\n"
	maxReadyMsg = 64 << 10
)

// errDied tells that the background process ended without a word.
var errDied = errors.New("the background process ended during its start")

// readiness is the background process's end of the pipe. A nil one belongs to a process that
// nobody waits for.
type readiness struct{ pipe io.WriteCloser }

// inheritReadiness takes over the pipe that this process was started with, nil if there is none.
func inheritReadiness() (*readiness, error) {
	number := os.Getenv(readyFDEnv)
	if number == "" {
		return nil, nil
	}
	if err := os.Unsetenv(readyFDEnv); err != nil { // it is not for programs that this one starts
		return nil, err
	}
	fd, err := strconv.Atoi(number)
	if err != nil || fd < 3 {
		return nil, fmt.Errorf("%s=%q: want the number of a descriptor", readyFDEnv, number)
	}
	unix.CloseOnExec(fd)
	return &readiness{os.NewFile(uintptr(fd), "readiness")}, nil
}

// ready tells that everything works.
func (r *readiness) ready() error { return r.send(readyWord) }

// failed tells that nothing will come of it.
func (r *readiness) failed(text string) error { return r.send(failedWord + text) }

func (r *readiness) send(message string) error {
	if r == nil || r.pipe == nil {
		return nil
	}
	_, err := io.WriteString(r.pipe, message)
	err = errors.Join(err, r.pipe.Close())
	r.pipe = nil // what comes later concerns nobody
	return err
}

// awaitReadiness reads the message from the other end: nil for ready, the background process's
// own error, or errDied.
func awaitReadiness(pipe io.Reader) error {
	message, err := io.ReadAll(io.LimitReader(pipe, maxReadyMsg))
	if err != nil {
		return err
	}
	text := string(message)
	if text == readyWord {
		return nil
	}
	if reason, ok := strings.CutPrefix(text, failedWord); ok {
		return errors.New(reason)
	}
	return errDied
}
