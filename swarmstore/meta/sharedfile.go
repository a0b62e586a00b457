package meta

import (
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// sharedFile is the database file, open beside SQLite to allocate room ahead of it. POSIX locks, which SQLite
// uses, are lost for a process when it closes any descriptor of the file. So all databases of the process
// that are the same file share one, which is closed with the last of them.
type sharedFile struct {
	*os.File
	key  fileKey
	uses int
}

type fileKey struct{ dev, ino uint64 }

// shared is what POSIX makes it: a matter of the whole process.
var shared = struct {
	sync.Mutex
	files map[fileKey]*sharedFile
}{files: make(map[fileKey]*sharedFile)}

func openShared(path string) (*sharedFile, error) {
	shared.Lock()
	defer shared.Unlock()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	key := fileKey{st.Dev, st.Ino}
	if f := shared.files[key]; f != nil {
		f.uses++
		return f, nil
	}
	file, err := os.OpenFile(path, os.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := &sharedFile{File: file, key: key, uses: 1}
	shared.files[key] = f
	return f, nil
}

// release gives up one use. SQLite's connections of the database are closed before.
func (f *sharedFile) release() error {
	shared.Lock()
	defer shared.Unlock()
	if f.uses--; f.uses > 0 {
		return nil
	}
	delete(shared.files, f.key)
	return f.Close()
}
