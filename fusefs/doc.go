// Package fusefs mounts a volume of a store as a Linux filesystem through FUSE.
//
// It is for programs that want to reach a volume by paths, with any tool: Mount answers once the mount
// does, and the mount then lives until Unmount, umount(8) or the end of the process.
//
// What it promises. Within one mount the semantics are those of a local Linux filesystem: permissions and POSIX
// ACLs (checked by the kernel), setuid, sticky directories, hard links, O_TMPFILE, open files that outlive their
// names, shared writable mappings, sparse files, flock and POSIX locks. fsync returns once the bytes are durable on
// the local disk. What another process changes in the same store is seen within about a second, the kernel's caches
// included; see invalidate.go for the one thing that has to wait for the last close.
//
// What it does not do. It decides nothing about files: names, attributes, content and their durability are
// the swarmstore package's, and each request is one or two calls of it. It keeps no tree in memory: a
// node's number in the protocol is its inode number, so a mount of a million files costs what the kernel's own
// caches cost. Locks are not shared between mounts.
//
// Lock order: the kernel holds its own locks (a directory's during create, unlink and rename, a page's during read
// and write) while it waits for a request. A notification to the kernel may wait for those, so it is sent
// only from the watching goroutine or, in Lseek, holding no lock of this package.
package fusefs
