// Package swarmstore is a filesystem in a directory, ready for Ethereum Swarm:
// named volumes, each a POSIX tree whose files have as content the very bytes
// and references that Swarm would give them.
//
// A Store is a directory on a local disk and works offline. Any number of
// processes may open it at once: a mount, a registry, the command line, your
// program. A Volume offers two ways in: by inode number, for a frontend such as
// a FUSE mount, and by path, for everybody else.
//
//	store, err := swarmstore.Open(ctx, dir, swarmstore.Options{})
//	volume, err := store.EnsureVolume(ctx, "default", swarmstore.VolumeOptions{})
//	_, err = volume.Put(ctx, "/backup/2024.tar", r, 0o644)
//
// # What is promised
//
// After File.Sync, SyncDir, Put, WriteFile, Append or Update returned, neither
// a crash of the process nor a power cut loses what was done. Before, either
// the old state or the new one is found, never bytes that were not written.
// A rename over an existing file is atomic even without a sync.
//
// Changes become visible to other processes when they are committed, which is
// at most a moment later for names and attributes; for the bytes of a file, when
// it has been sealed: at once for a small file that is closed, else a fraction
// of a second after it was closed. Processes that write
// different ranges of one file both keep theirs; where they overlap, the one
// that seals last wins.
//
// # How content lives
//
// Written bytes are staged: they lie in sparse files, one per block of 512 KiB
// (package staging), and their ranges are recorded when they are synced. Some
// time after the last write a file is sealed: its blocks are hashed and adopted
// (packages blocks and objects) and the references of the unchanged ones are
// kept, which gives the file a new content root (package content). Files of at
// most one chunk (4,096 bytes) are sealed at once, in the database. The tree of
// names lives there too (package meta).
package swarmstore
