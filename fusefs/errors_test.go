package fusefs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fuse"

	"swarmfs/swarmstore"
)

func TestErrnos(t *testing.T) {
	for _, c := range []struct {
		err      error
		want     syscall.Errno
		expected bool
	}{
		{swarmstore.ErrNotExist, syscall.ENOENT, true},
		{swarmstore.ErrNoSpace, syscall.ENOSPC, true},
		{swarmstore.ErrReadOnly, syscall.EROFS, true},
		{swarmstore.ErrStale, syscall.ESTALE, true},
		{swarmstore.ErrNoData, syscall.ENXIO, true},
		{swarmstore.ErrPermission, syscall.EPERM, true},
		{context.Canceled, syscall.EINTR, true},
		{swarmstore.ErrCorrupt, syscall.EIO, false},
		{errors.New("surprise"), syscall.EIO, false},
		{syscall.ENOSPC, syscall.ENOSPC, true},
		{syscall.EBADF, syscall.EIO, false}, // somebody else's descriptor is not the caller's
	} {
		errno, expected := errnoOf(fmt.Errorf("wrapped: %w", c.err))
		if errno != c.want || expected != c.expected {
			t.Errorf("%v: got %v %t, want %v %t", c.err, errno, expected, c.want, c.expected)
		}
	}
}

func TestUnexpectedErrorsAreLogged(t *testing.T) {
	var log bytes.Buffer
	fs := &fileSystem{logger: slog.New(slog.NewTextHandler(&log, nil))}
	if got := fs.status("read", 7, swarmstore.ErrNotExist); got != fuse.ENOENT || log.Len() != 0 {
		t.Errorf("got %v, logged %q", got, &log)
	}
	if got := fs.status("read", 7, errors.New("surprise")); got != fuse.EIO {
		t.Errorf("got %v, want EIO", got)
	}
	for _, want := range []string{"op=read", "ino=7", "surprise"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log %q lacks %q", &log, want)
		}
	}
}
