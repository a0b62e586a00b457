// Package staging keeps bytes that were written but not sealed: for each block
// of a file that has any, a piece, which is a sparse file of at most a block.
//
// A piece belongs to one session and to one generation; its name tells both,
// so that pieces of different processes, or of a block that is written again
// while an earlier piece is being sealed, never meet. Which bytes of a piece
// are valid is recorded by the caller.
package staging

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"

	"swarmfs/swarmstore/fdcache"
)

// PieceID names a piece within a session.
type PieceID struct {
	Ino   int64
	Block int64 // index of the block in the file
	Gen   int64 // later generations lie over earlier ones
}

// Dir is the staging directory of one session. It comes into being with the first piece: a process that only
// looks, on a full disk perhaps, needs none.
type Dir struct {
	path  string
	files *fdcache.Cache[PieceID]

	mu  sync.Mutex
	dir *os.File // nil until it is needed
}

// Open returns the staging directory of a session below root. Up to openFiles pieces stay open.
func Open(root string, session int64, openFiles int) *Dir {
	return &Dir{path: filepath.Join(root, strconv.FormatInt(session, 10)), files: fdcache.New[PieceID](openFiles)}
}

// Make makes the directory, if it does not exist, and opens it.
func (d *Dir) Make() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dir != nil {
		return nil
	}
	if err := os.Mkdir(d.path, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := syncDir(filepath.Dir(d.path)); err != nil {
		return err
	}
	dir, err := os.Open(d.path)
	d.dir = dir
	return err
}

func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// Close closes the open files.
func (d *Dir) Close() error {
	d.files.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dir == nil {
		return nil
	}
	return d.dir.Close()
}

// Name returns the name of a piece's file in its session's directory.
func Name(id PieceID) string { return fmt.Sprintf("%d.%d.%d", id.Ino, id.Block, id.Gen) }

// Path returns the path of a piece's file.
func (d *Dir) Path(id PieceID) string { return filepath.Join(d.path, Name(id)) }

// Piece returns the piece's file, made if it does not exist, to be released after use.
func (d *Dir) Piece(id PieceID) (*fdcache.Handle, error) {
	return d.files.Get(id, func() (*os.File, error) {
		if err := d.Make(); err != nil {
			return nil, err
		}
		return os.OpenFile(d.Path(id), os.O_RDWR|os.O_CREATE|unix.O_CLOEXEC, 0o600)
	})
}

// Remove deletes a piece.
func (d *Dir) Remove(id PieceID) error {
	d.files.Remove(id)
	err := os.Remove(d.Path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// SyncNames makes the names of all pieces durable.
func (d *Dir) SyncNames() error {
	if err := d.Make(); err != nil {
		return err
	}
	return d.dir.Sync()
}

// Clear deletes what is left in the directory, and the directory.
func (d *Dir) Clear() error {
	d.files.Close()
	return os.RemoveAll(d.path)
}
