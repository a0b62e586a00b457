// Package content computes Swarm addresses of file content, and changes files
// without reading more of them than the path to what changed.
//
// A file is cut into chunks of 4,096 bytes. The address of a chunk is the BMT
// hash of its payload and of its span, the number of file bytes below it. The
// addresses of up to 128 chunks are the payload of an intermediate chunk, and
// so on up to a single root; a chunk that would be the only child of its parent
// takes the parent's place. The references are those that Bee's splitter gives
// for the same bytes without encryption and redundancy, whatever the size.
//
// 128 chunks of data, 512 KiB, are a block: one whole subtree, whose reference
// is that of its bytes uploaded alone. This package hashes blocks (Hasher.Block),
// and treats a file as the tree above its blocks:
//
//	root ── intermediate chunks ── blocks       more than 512 KiB
//	root = the only block                       up to 512 KiB
//
// Every subtree is itself the tree of the bytes below it, so a Tree, which is a
// reference and a size, describes a file, a subtree or a block alike.
//
// Hasher.Split makes a tree from a stream, Hasher.Update makes one from another
// by exchanging blocks, Blocks and the Next methods look into one. Holes are
// blocks of zeros: their references, and those of whole trees of zeros, are
// known without hashing them, so that a sparse file costs what its data costs.
//
// The package stores nothing. It reads intermediate chunks through a
// ChunkReader and trusts it to return what belongs to a reference; it checks
// only that a chunk fits the place it is read for. Encrypted content and
// redundancy are not supported.
package content
