package fusefs

import (
	lru "github.com/hashicorp/golang-lru/v2"

	"swarmfs/swarmstore"
)

// nameMemory remembers names that the kernel has seen, as far as announcing foreign changes needs them.
type nameMemory struct {
	// root holds names looked up in the root, found or not: dropping them drops all that is cached below.
	root *lru.Cache[string, struct{}]
	// last holds the latest name of a regular file. Linux since 6.18 drops a file's names by its number
	// (FUSE_NOTIFY_PRUNE); for kernels before, the name is needed.
	last   *lru.Cache[swarmstore.Ino, entryName]
	needed bool
}

type entryName struct {
	dir  swarmstore.Ino
	name string
}

// rememberedNames bounds each of the two memories.
const rememberedNames = 64 << 10

func newNameMemory() (nameMemory, error) {
	root, err := lru.New[string, struct{}](rememberedNames)
	if err != nil {
		return nameMemory{}, err
	}
	last, err := lru.New[swarmstore.Ino, entryName](rememberedNames)
	return nameMemory{root: root, last: last}, err
}

// saw notes that the kernel learns what a name stands for; a is nil where it stands for nothing or is not known.
func (m *nameMemory) saw(fs *fileSystem, dir swarmstore.Ino, name string, a *swarmstore.Attr) {
	if dir == fs.root {
		m.root.Add(name, struct{}{})
	}
	if m.needed && a != nil && a.IsRegular() {
		m.last.Add(a.Ino, entryName{dir, name})
	}
}
