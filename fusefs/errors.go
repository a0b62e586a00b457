package fusefs

import (
	"context"
	"errors"
	"log/slog"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"

	"swarmfs/swarmstore"
)

// errnos maps what the store reports to what a system call returns, the frequent ones first.
var errnos = []struct {
	err   error
	errno syscall.Errno
}{
	{swarmstore.ErrNotExist, syscall.ENOENT},
	{swarmstore.ErrNoXattr, syscall.ENODATA},
	{swarmstore.ErrExist, syscall.EEXIST},
	{swarmstore.ErrNoData, syscall.ENXIO},
	{swarmstore.ErrNotDir, syscall.ENOTDIR},
	{swarmstore.ErrIsDir, syscall.EISDIR},
	{swarmstore.ErrNotEmpty, syscall.ENOTEMPTY},
	{swarmstore.ErrInvalid, syscall.EINVAL},
	{swarmstore.ErrNameTooLong, syscall.ENAMETOOLONG},
	{swarmstore.ErrTooBig, syscall.EFBIG},
	{swarmstore.ErrTooManyLinks, syscall.EMLINK},
	{swarmstore.ErrPermission, syscall.EPERM},
	{swarmstore.ErrReadOnly, syscall.EROFS},
	{swarmstore.ErrLoop, syscall.ELOOP},
	{swarmstore.ErrBusy, syscall.EBUSY},
	{swarmstore.ErrNoSpace, syscall.ENOSPC},
	{swarmstore.ErrXattrTooBig, syscall.E2BIG},
	{swarmstore.ErrStale, syscall.ESTALE},
	{swarmstore.ErrNotSupported, syscall.EOPNOTSUPP},
	{swarmstore.ErrClosed, syscall.ESHUTDOWN},
	{swarmstore.ErrVolumeNotFound, syscall.ESTALE},
	{context.Canceled, syscall.EINTR},
	{context.DeadlineExceeded, syscall.ETIMEDOUT},
}

// errnoOf returns the errno for err, and whether err is one that the caller of the system call should expect. Damage and
// whatever has no meaning of its own are EIO, which deserves a line in the log.
func errnoOf(err error) (errno syscall.Errno, expected bool) {
	for _, e := range errnos {
		if errors.Is(err, e.err) {
			return e.errno, true
		}
	}
	// A full disk reaches us as the operating system's own word where the store did not translate it.
	if errors.As(err, &errno) && (errno == syscall.ENOSPC || errno == syscall.EDQUOT) {
		return errno, true
	}
	return syscall.EIO, false
}

// status turns the outcome of operation op on node ino into a reply.
func (fs *fileSystem) status(op string, ino swarmstore.Ino, err error) fuse.Status {
	if err == nil {
		return fuse.OK
	}
	errno, expected := errnoOf(err)
	if !expected {
		fs.logger.Error("file operation failed", slog.String("op", op), slog.Uint64("ino", uint64(ino)), slog.Any("error", err))
	}
	return fuse.Status(errno)
}
