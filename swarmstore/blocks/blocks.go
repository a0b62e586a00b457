// Package blocks keeps the blocks of content as files, named by their Swarm
// address: blocks/ab/abcd….
//
// A block appears under its name whole or not at all: it is written under a
// temporary name and renamed. Whether it survives a power cut is up to the
// caller, who syncs (SyncAll, or one block with Sync) before recording the
// block anywhere. Bytes are not verified when read: they come from this disk.
package blocks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/fdcache"
)

// ErrNotFound tells that there is no such block on this disk.
var ErrNotFound = errors.New("block not found")

// Dir is a directory of blocks. It is safe for concurrent use, by several processes too.
type Dir struct {
	path  string
	files *fdcache.Cache[content.Reference]
	root  *os.File
	temp  atomic.Uint64
}

// Folders is the number of subdirectories, one for each first byte of a reference.
const Folders = 256

func folder(path string, n int) string { return filepath.Join(path, fmt.Sprintf("%02x", n)) }

// Open opens the directory, creating it and its subdirectories. Up to openFiles blocks stay open.
func Open(path string, openFiles int) (*Dir, error) {
	if _, err := os.Stat(folder(path, Folders-1)); errors.Is(err, fs.ErrNotExist) {
		for i := range Folders {
			if err := os.MkdirAll(folder(path, i), 0o700); err != nil {
				return nil, err
			}
		}
	}
	root, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &Dir{path: path, files: fdcache.New[content.Reference](openFiles), root: root}, nil
}

// Close closes the open files.
func (d *Dir) Close() error {
	d.files.Close()
	return d.root.Close()
}

func (d *Dir) name(ref content.Reference) string {
	hex := ref.String()
	return filepath.Join(d.path, hex[:2], hex)
}

// temporary returns a name that no other call of any live process gives, in the folder of the block.
func (d *Dir) temporary(ref content.Reference) string {
	return fmt.Sprintf("%s.%d.%d.tmp", d.name(ref), os.Getpid(), d.temp.Add(1))
}

// Open returns the block's file, to be released after use.
func (d *Dir) Open(ref content.Reference) (*fdcache.Handle, error) {
	h, err := d.files.Get(ref, func() (*os.File, error) { return os.Open(d.name(ref)) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, ref)
	}
	return h, err
}

// Forget closes the block's file, so that it is looked for anew.
func (d *Dir) Forget(ref content.Reference) { d.files.Remove(ref) }

// Has reports whether the block is there.
func (d *Dir) Has(ref content.Reference) bool {
	_, err := os.Lstat(d.name(ref))
	return err == nil
}

// Put writes a block, replacing whatever stands under its name.
func (d *Dir) Put(ref content.Reference, data []byte) (err error) {
	temp := d.temporary(ref)
	if err := os.WriteFile(temp, data, 0o600); err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(temp)))
	}
	return d.replace(ref, temp)
}

// Adopt gives an existing file of the same filesystem a second name: the block's. The file must not be
// written any more.
func (d *Dir) Adopt(ref content.Reference, file string) error {
	temp := d.temporary(ref)
	if err := os.Link(file, temp); err != nil {
		return err
	}
	return d.replace(ref, temp)
}

func (d *Dir) replace(ref content.Reference, temp string) error {
	if err := os.Rename(temp, d.name(ref)); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	// Renaming a file onto another name of itself does nothing and leaves both.
	return ignoreMissing(os.Remove(temp))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Remove deletes a block.
func (d *Dir) Remove(ref content.Reference) error {
	d.files.Remove(ref)
	return ignoreMissing(os.Remove(d.name(ref)))
}

// RemoveFile deletes a file that Each has shown and that is no block in use.
func (d *Dir) RemoveFile(path string) error { return ignoreMissing(os.Remove(path)) }

// Sync makes one block durable, its name included.
func (d *Dir) Sync(ref content.Reference) error {
	for _, name := range []string{d.name(ref), filepath.Dir(d.name(ref))} {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// SyncAll makes everything on the filesystem of the directory durable.
func (d *Dir) SyncAll() error { return unix.Syncfs(int(d.root.Fd())) }

// Each calls fn for every file in a subdirectory: for blocks with their reference, for others with a zero one.
func (d *Dir) Each(n int, fn func(ref content.Reference, path string) error) error {
	entries, err := os.ReadDir(folder(d.path, n))
	if err != nil {
		return err
	}
	for _, e := range entries {
		ref, err := content.ParseReference(e.Name())
		if err != nil {
			ref = content.Reference{} // what a crash left of a block that was being written
		}
		if err := fn(ref, filepath.Join(folder(d.path, n), e.Name())); err != nil {
			return err
		}
	}
	return nil
}
