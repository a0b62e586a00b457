// Package crash kills the swarmfs daemon, fills its disk and cuts its power
// while programs write through the mount, and then looks at what is left.
//
// A [Writer] works on files of its own and keeps, in the memory of the test
// and so outside the mount, an account of what the file system has
// acknowledged. After the crash and a new mount three things must hold:
//
//   - nothing that was acknowledged is missing: what fsync returned for is
//     there, and a name that rename gave never stands for half a file;
//   - no file shows bytes that were never written to that place of it: file
//     content is made of cells that name their file, offset and generation;
//   - swarmfs fsck finds nothing wrong.
//
// What was written but not acknowledged may be there or not, each cell by
// itself, except for changes of names, which are lost only from the end.
//
// The package asks no more than that of the order in which unacknowledged
// bytes reach the disk, and it does not measure speed.
package crash

import (
	"context"
	"sync"
)

// Writer is a program that changes files and knows what must be left of them.
type Writer interface {
	// Name tells writers apart; it is the name of the directory a writer works in.
	Name() string
	// Work changes files below dir, which may not exist yet, until ctx ends
	// (and then returns nil) or the file system fails.
	Work(ctx context.Context, dir string) error
	// Check compares what is below dir with the account. What it finds
	// becomes the account from which the next Work goes on.
	Check(dir string) error
	// Clone returns a copy with an account of its own. The ledger is locked.
	Clone() Writer
}

// Ledger orders the entries that all writers make in their accounts, so that
// a moment can be chosen at which they are all as old as the disk's content.
//
// A writer enters what it is about to do before it calls the kernel, and the
// acknowledgement after the call has returned. It never holds the ledger
// during a call.
type Ledger struct{ mu sync.Mutex }

// Enter runs fn, which makes an entry.
func (l *Ledger) Enter(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn()
}

// Freeze runs fn while nobody makes an entry.
func (l *Ledger) Freeze(fn func()) { l.Enter(fn) }
