package keys

import (
	"os"
	"path/filepath"
)

const (
	dirMode  os.FileMode = 0o700
	fileMode os.FileMode = 0o600

	// scratchPattern names the directories in which files are prepared; the dot keeps them
	// from ever being taken for keys.
	scratchPattern = ".new-*"
)

// moveDurably syncs a prepared file and gives it its name, which must not exist: a hard link,
// unlike a rename, never replaces a file that another process just made.
func moveDurably(from, to string) error {
	if err := syncPath(from); err != nil {
		return err
	}
	if err := os.Link(from, to); err != nil {
		return err
	}
	if err := os.Remove(from); err != nil {
		return err
	}
	return syncPath(filepath.Dir(to))
}

// syncPath makes a file or the entries of a directory durable.
func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
