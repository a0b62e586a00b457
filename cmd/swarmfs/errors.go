package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/urfave/cli/v2"

	"swarmfs/swarmstore"
	"swarmfs/swarmstore/keys"
)

// Exit statuses; fsck has more.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// exitStatus is an error about which everything has been said.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// usageError tells that the arguments make no sense.
type usageError struct{ command, text string }

func (e *usageError) Error() string {
	return fmt.Sprintf("%s; see %s --help", e.text, e.command)
}

func usagef(c *cli.Context, format string, args ...any) error {
	command := c.Command.HelpName
	if command == "" {
		command = c.App.Name
	}
	return &usageError{command, fmt.Sprintf(format, args...)}
}

// usageFailure is called by the library for options that it does not understand.
func usageFailure(c *cli.Context, err error, _ bool) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		if len(name) > 1 && name[0] != '-' {
			name = "-" + name
		}
		return usagef(c, "no option -%s", name)
	}
	return usagef(c, "%v", err)
}

// failure is an error of an operation on something that has a name.
type failure struct {
	what, path string
	err        error
}

func (e *failure) Error() string {
	return fmt.Sprintf("%s %s: %s", e.what, e.path, reason(e.path, e.err))
}

func (e *failure) Unwrap() error { return e.err }

// fail says what was attempted, and on what, when err came of it. It keeps what was said before.
func fail(what, path string, err error) error {
	var said *failure
	var status exitStatus
	if err == nil || errors.As(err, &said) || errors.As(err, &status) {
		return err
	}
	return &failure{what, path, err}
}

// plainReasons are the errors that need no more words beside the path, which the failure has.
var plainReasons = []error{
	swarmstore.ErrNotExist, swarmstore.ErrExist, swarmstore.ErrNotDir, swarmstore.ErrIsDir,
	swarmstore.ErrNotEmpty, swarmstore.ErrNameTooLong, swarmstore.ErrReadOnly, swarmstore.ErrLoop,
	swarmstore.ErrVolumeNotFound, swarmstore.ErrVolumeExists,
	keys.ErrNotFound, keys.ErrExists,
}

// reason tells why, without the path that has been named already.
func reason(named string, err error) string {
	for _, plain := range plainReasons {
		if errors.Is(err, plain) {
			return plain.Error()
		}
	}
	var path *fs.PathError
	if errors.As(err, &path) && path.Path == named {
		return path.Err.Error()
	}
	return err.Error()
}

// advice tells what to do about an error, "" if there is nothing to say.
func advice(err error) string {
	tests := []struct {
		is   error
		text string
	}{
		{swarmstore.ErrVolumeNotFound, "swarmfs volume list shows the volumes of the store"},
		{swarmstore.ErrVolumeExists, "choose another name"},
		{swarmstore.ErrNotEmpty, "remove it with all it holds by rm -r"},
		{swarmstore.ErrNoSpace, "make room on the disk of the store"},
		{keys.ErrPassword, "name the file that has it with --password-file, or give --password-file - to be asked"},
		{keys.ErrExists, "choose another name; keys are never overwritten"},
		{keys.ErrNotFound, "swarmfs key list shows the keys of the store"},
	}
	for _, test := range tests {
		if errors.Is(err, test.is) {
			return test.text
		}
	}
	return ""
}

// report tells the person at the terminal about an error and returns the exit status.
func (p *program) report(ctx context.Context, err error) int {
	var status exitStatus
	var usage *usageError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage):
		p.notef("swarmfs: %v", usage)
		return exitUsage
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		p.notef("swarmfs: interrupted")
		return exitFailed
	}
	p.complain(err)
	return exitFailed
}

// complain prints an error of an operation after which the command goes on with others.
func (p *program) complain(err error) {
	p.notef("swarmfs: %s", explain(err))
}

// explain says what failed, without the repetitions on the way, and what to do about it.
func explain(err error) string {
	text := err.Error()
	var said *failure
	if errors.As(err, &said) {
		text = said.Error()
	}
	text = strings.TrimSpace(text) // some come from other programs
	if hint := advice(err); hint != "" {
		text += "; " + hint
	}
	return text
}
