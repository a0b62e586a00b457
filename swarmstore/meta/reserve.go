package meta

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// pageSize is the size of a database page, SQLite's default.
const pageSize = 4096

// allocateAhead makes sure that at least least bytes are allocated behind end, and allocates twice as many if it
// can. What is allocated is asked of the disk each time: SQLite cuts off what lies behind the end of its
// files after a checkpoint, in this process or another.
func allocateAhead(f *os.File, end, least int64) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	const blockUnit = 512 // of st_blocks
	if st.Blocks*blockUnit >= end+least {
		return nil
	}
	// The whole range is named, because a file that was cut may have lost any part behind its end.
	from := min(st.Size, end)
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, from, end+2*least-from)
	if full(err) {
		err = unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, from, end+least-from)
	}
	return err
}

func full(err error) bool { return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) }

// reserve makes sure that the log can take in the next group, and the database all of the log, without asking the
// disk for room. Groups that free space have a margin of the log for themselves, and go on even without: on a full
// disk nothing else helps. It reports whether there is room for any group.
func (d *DB) reserve(freeing bool) (bool, error) {
	err := d.reserveMargins()
	if full(err) {
		// The database may have taken in all of the log, and the room be the log's own.
		d.shortenLog()
		err = d.reserveMargins()
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EOPNOTSUPP):
		return true, nil // a filesystem without fallocate: a full disk then shows at the commit
	case full(err) && freeing:
		return false, nil
	case full(err):
		return false, fmt.Errorf("%w: free some space on the disk that holds %s: %w", ErrFull, d.path, err)
	}
	return false, err
}

// reserveMargins sees to the database first: while that cannot take in the log, the log can only grow.
func (d *DB) reserveMargins() error {
	pages, err := pragmaInt(d.writer, "page_count")
	if err != nil {
		return err
	}
	if err := allocateAhead(d.main.File, pages*pageSize, d.margin); err != nil {
		return err
	}
	st, err := d.wal.Stat()
	if err != nil {
		return err
	}
	return allocateAhead(d.wal, st.Size(), 2*d.margin)
}

// shortenLog moves the log into the database and cuts it off, unless somebody is reading it.
func (d *DB) shortenLog() {
	if d.group.open {
		return
	}
	if err := exec(d.writer, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		d.log.Debug("shorten the metadata log", "err", err)
	}
}
