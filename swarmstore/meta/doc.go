// Package meta keeps the metadata of a store in SQLite: volumes, nodes,
// directory entries, extended attributes, the objects that content consists
// of with their reference counts, staged ranges, sessions and the log of
// changes that mounts follow.
//
// It knows rows, not POSIX: the rules of a filesystem are the caller's.
//
// # Transactions
//
// Update runs a function inside the group transaction of this process: the
// transaction stays open for a moment and takes in what comes meanwhile, so
// that a mutation costs microseconds instead of a commit. What a function
// reads there is the database's own state, never a cache. Readers of the same
// process see the group's changes at once, those of other processes when it is
// committed, at most GroupAge later. Commit ends the group; Sync also makes it
// durable against a power cut, together with everything before it.
//
// A function given to Update must check before it writes: an error that it
// returns after its first write rolls back the whole group, other callers'
// changes included, and is meant for a failing disk only. UpdateAlone and
// UpdateAtomic have a transaction to themselves.
//
// # Processes
//
// Any number of processes may open the database. One at a time holds the
// write transaction; a turnstile (a lock file that is taken before and given
// back after the transaction begins) keeps a busy process from starving the
// others. Epoch grows when another process's commit is seen.
//
// # Disk full
//
// A failed commit would lose what other callers were told is done. So the
// write-ahead log is allocated ahead of every group, and a group that the disk
// has no room for is refused before it starts, with ErrFull, unless it frees some.
package meta
