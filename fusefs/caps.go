package fusefs

import "github.com/hanwen/go-fuse/v2/fuse"

// capabilities are the protocol features asked of the kernel beyond go-fuse's own defaults (big writes, asynchronous
// reads, parallel directory operations, READDIRPLUS). The kernel grants those that it knows.
func capabilities(o *Options) uint64 {
	caps := uint64(0)

	// The umask comes with each request, because a default ACL of the directory replaces it.
	caps |= fuse.CAP_DONT_MASK

	// Clearing setuid and setgid on write, truncation and chown becomes our duty; in exchange the
	// kernel no longer asks for security.capability before every write.
	caps |= fuse.CAP_HANDLE_KILLPRIV_V2

	// Setting an ACL says whether setgid has to go.
	caps |= fuse.CAP_SETXATTR_EXT

	// READDIRPLUS only where the reader goes on to look at the entries, as ls -l does and ls does not.
	caps |= fuse.CAP_READDIRPLUS_AUTO

	// Direct I/O in parallel, and shared mappings of files opened with O_DIRECT.
	caps |= fuse.CAP_ASYNC_DIO | fuse.CAP_DIRECT_IO_ALLOW_MMAP

	// Lookups of "." and ".." by node: inode numbers are never reused, so file handles (NFS export,
	// open_by_handle_at) stay valid.
	caps |= fuse.CAP_EXPORT_SUPPORT

	if o.Writeback && !o.ReadOnly {
		caps |= fuse.CAP_WRITEBACK_CACHE
	}
	return caps
}
