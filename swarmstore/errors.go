package swarmstore

import "errors"

// The errors of this package. They reach the caller wrapped with the
// operation and the path or inode; match them with errors.Is. A frontend turns
// them into its own (an errno, a driver error) at one place.
var (
	ErrNotExist     = errors.New("no such file or directory")
	ErrExist        = errors.New("file exists")
	ErrNotDir       = errors.New("not a directory")
	ErrIsDir        = errors.New("is a directory")
	ErrNotEmpty     = errors.New("directory not empty")
	ErrInvalid      = errors.New("invalid argument")
	ErrNameTooLong  = errors.New("file name too long")
	ErrTooBig       = errors.New("file too large")
	ErrTooManyLinks = errors.New("too many links")
	ErrPermission   = errors.New("operation not permitted")
	ErrReadOnly     = errors.New("read-only file system")
	ErrLoop         = errors.New("too many levels of symbolic links")
	ErrBusy         = errors.New("device or resource busy")
	ErrNoSpace      = errors.New("no space left on the store's disk")
	ErrNoXattr      = errors.New("no such extended attribute")
	ErrXattrTooBig  = errors.New("extended attribute too large")
	ErrNoData       = errors.New("no data at or after this offset")
	ErrCorrupt      = errors.New("stored data is damaged; run swarmfs fsck")
	ErrStale        = errors.New("the file was removed by another process")
	ErrNotSupported = errors.New("operation not supported")
	ErrClosed       = errors.New("store is closed")
	ErrLost         = errors.New("changes were lost")

	ErrVolumeNotFound = errors.New("no such volume")
	ErrVolumeExists   = errors.New("volume exists")
	ErrNewerStore     = errors.New("the store was written by a newer swarmfs; use that version or newer")
)
