package swarmstore

import (
	"context"
	"fmt"
	"path"
	"strings"

	"swarmfs/swarmstore/content"
	"swarmfs/swarmstore/meta"
)

// FsckOptions say what Fsck looks at and whether it repairs.
type FsckOptions struct {
	Volume   string                  // with Path
	Path     string                  // "": the whole store; else only what is at and below this path of Volume
	Repair   bool                    // put right what can be put right
	Progress func(done, total int64) // called now and then with bytes of content verified; nil: not called
}

// FsckProblem is one thing found wrong.
type FsckProblem struct {
	Volume   string
	Path     string // of the file or directory concerned; "" if none is known
	What     string
	Harmless bool // it costs room, nothing else
	Repaired bool
}

func (p FsckProblem) String() string {
	where := ""
	if p.Path != "" {
		where = p.Volume + ":" + p.Path + ": "
	}
	switch {
	case p.Repaired:
		return where + p.What + " (repaired)"
	case p.Harmless:
		return where + p.What + " (harmless)"
	}
	return where + p.What
}

// FsckReport is what Fsck found.
type FsckReport struct {
	Nodes, Blocks, Bytes int64 // verified
	Problems             []FsckProblem
}

// Clean reports whether nothing is wrong that matters, or everything has been repaired.
func (r *FsckReport) Clean() bool {
	for _, p := range r.Problems {
		if !p.Repaired && !p.Harmless {
			return false
		}
	}
	return true
}

// fsck is one run over a consistent state of the database.
type fsck struct {
	s      *Store
	o      FsckOptions
	report FsckReport

	volumes map[int64]meta.Volume
	nodes   map[int64]meta.Node
	entries map[int64][]entryRow // by directory
	orphans map[int64]bool
	objects map[content.Reference]meta.Object // without data
	refs    map[content.Reference]int64       // counted
	damaged map[content.Reference]string      // objects, with what is wrong
	paths   map[int64]string                  // of nodes reached from a root
	names   map[int64]uint32                  // entries that stand for a node
	fixes   []func(*meta.Tx) error
}

type entryRow struct {
	name string
	ino  int64
}

// Fsck verifies a store: the database file, every entry and node, the tree and every block of each file, the
// reference counts, staged bytes, and files that nothing accounts for. It names the paths concerned. With
// Repair it corrects counts and links, brings nodes without a name to /lost+found of their volume, drops
// entries that lead nowhere and deletes files that nothing accounts for; lost bytes it can only tell of.
//
// It may run while the store is in use; repairs should have the store for themselves.
func (s *Store) Fsck(ctx context.Context, o FsckOptions) (*FsckReport, error) {
	if o.Repair && s.o.ReadOnly {
		return nil, ErrReadOnly
	}
	f := &fsck{
		s: s, o: o,
		volumes: make(map[int64]meta.Volume), nodes: make(map[int64]meta.Node), entries: make(map[int64][]entryRow),
		objects: make(map[content.Reference]meta.Object), refs: make(map[content.Reference]int64),
		damaged: make(map[content.Reference]string), paths: make(map[int64]string), names: make(map[int64]uint32),
	}
	if err := f.run(ctx); err != nil {
		return nil, fmt.Errorf("fsck: %w", storeError(err))
	}
	return &f.report, nil
}

func (f *fsck) run(ctx context.Context) error {
	if f.o.Path != "" {
		return f.runPath(ctx)
	}
	if err := f.s.scan(ctx, f.load); err != nil {
		return err
	}
	f.checkEntries()
	f.checkNodes()
	if err := f.verifyObjects(ctx); err != nil {
		return err
	}
	f.checkContents()
	f.checkRefs()
	if err := f.checkStaged(ctx); err != nil {
		return err
	}
	if err := f.checkStrayFiles(ctx); err != nil {
		return err
	}
	return f.repair(ctx)
}

// problem notes something wrong. fix, if not nil, puts it right.
func (f *fsck) problem(ino int64, what string, fix func(*meta.Tx) error) {
	p := FsckProblem{What: what}
	if n, ok := f.nodes[ino]; ok {
		p.Volume, p.Path = f.volumes[n.Volume].Name, f.paths[ino]
	}
	if ino != 0 && p.Path == "" {
		p.What = fmt.Sprintf("inode %d: %s", ino, what)
	}
	if fix != nil && f.o.Repair {
		p.Repaired = true
		f.fixes = append(f.fixes, fix)
	}
	f.report.Problems = append(f.report.Problems, p)
}

// repair carries out what was decided, in one transaction.
func (f *fsck) repair(ctx context.Context) error {
	if len(f.fixes) == 0 {
		return nil
	}
	err := f.s.db.UpdateAtomic(ctx, func(tx *meta.Tx) error {
		for _, fix := range f.fixes {
			if err := fix(tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return f.s.db.Sync(ctx)
}

// load reads the database.
func (f *fsck) load(tx *meta.Tx) error {
	problems, err := tx.IntegrityCheck()
	if err != nil {
		return err
	}
	for _, p := range problems {
		f.problem(0, "database: "+p, nil)
	}
	volumes, err := tx.Volumes()
	if err != nil {
		return err
	}
	for _, v := range volumes {
		f.volumes[v.ID] = v
	}
	if err := tx.AllNodes(func(n meta.Node) error { f.nodes[n.Ino] = n; return nil }); err != nil {
		return err
	}
	err = tx.AllEntries(func(dir int64, name string, ino int64) error {
		f.entries[dir] = append(f.entries[dir], entryRow{name, ino})
		return nil
	})
	if err != nil {
		return err
	}
	if f.orphans, err = tx.AllOrphans(); err != nil {
		return err
	}
	return tx.AllObjects(func(o meta.Object) error { f.loadObject(o); return nil })
}

// loadObject takes down an object, verifies it if its bytes are in the database, and counts the references
// that it holds.
func (f *fsck) loadObject(o meta.Object) {
	ref := content.Reference(o.Ref)
	switch o.Kind {
	case meta.KindNode:
		f.loadChunk(ref, o.Data)
	case meta.KindBlockInline:
		f.report.Blocks++
		f.report.Bytes += int64(len(o.Data))
		if int64(len(o.Data)) != o.Size || !f.s.hasher.Verify(ref, o.Data) {
			f.damaged[ref] = "its bytes in the database are not those of its reference"
		}
	}
	o.Data = nil
	f.objects[ref] = o
}

func (f *fsck) loadChunk(ref content.Reference, data []byte) {
	children, err := content.Children(data)
	if err != nil || !f.s.hasher.VerifyChunk(ref, data) {
		f.damaged[ref] = "the intermediate chunk in the database is not that of its reference"
		return
	}
	for _, c := range children {
		if !f.s.objects.IsHole(c.Ref, c.Span) {
			f.refs[c.Ref]++
		}
	}
}

// checkEntries goes through the trees from their roots.
func (f *fsck) checkEntries() {
	for _, v := range f.volumes {
		if strings.HasPrefix(v.Name, removedPrefix) {
			continue
		}
		if n, ok := f.nodes[v.Root]; !ok || !isDir(n) {
			f.problem(0, fmt.Sprintf("volume %s has no root directory", v.Name), nil)
			continue
		}
		f.paths[v.Root] = "/"
		f.checkDir(v.Root, "/")
	}
}

func (f *fsck) checkDir(dir int64, p string) {
	subdirs := uint32(0)
	for _, e := range f.entries[dir] {
		n, ok := f.nodes[e.ino]
		where := path.Join(p, e.name)
		if !ok {
			f.problem(dir, fmt.Sprintf("entry %q stands for inode %d, which does not exist", e.name, e.ino),
				func(tx *meta.Tx) error { return tx.DeleteEntry(dir, e.name) })
			continue
		}
		f.names[e.ino]++
		if f.paths[e.ino] == "" {
			f.paths[e.ino] = where
		}
		if !isDir(n) {
			continue
		}
		subdirs++
		if f.names[e.ino] > 1 {
			f.problem(e.ino, fmt.Sprintf("directory has a second name, %s", where), nil)
			continue
		}
		f.checkParent(n, dir)
		f.checkDir(e.ino, where)
	}
	f.checkLinks(f.nodes[dir], 2+subdirs)
}

func (f *fsck) checkParent(n meta.Node, dir int64) {
	if n.Parent == dir {
		return
	}
	f.problem(n.Ino, fmt.Sprintf("its parent is inode %d, not %d", n.Parent, dir), func(tx *meta.Tx) error {
		n, err := tx.Node(n.Ino)
		if err != nil {
			return err
		}
		n.Parent = dir
		return tx.PutNode(&n)
	})
}

func (f *fsck) checkLinks(n meta.Node, want uint32) {
	if n.Nlink == want {
		return
	}
	f.problem(n.Ino, fmt.Sprintf("it has %d links, but says %d", want, n.Nlink), func(tx *meta.Tx) error {
		n, err := tx.Node(n.Ino)
		if err != nil {
			return err
		}
		n.Nlink = want
		return tx.PutNode(&n)
	})
}

// checkNodes looks at the nodes one by one: those without a name, and the link counts of the others.
func (f *fsck) checkNodes() {
	for ino, n := range f.nodes {
		f.report.Nodes++
		v, ok := f.volumes[n.Volume]
		if !ok || strings.HasPrefix(v.Name, removedPrefix) {
			continue // of a volume whose removal goes on when the store is opened next
		}
		switch {
		case f.paths[ino] != "":
			if !isDir(n) {
				f.checkLinks(n, f.names[ino])
			}
		case !f.orphans[ino]:
			f.problem(ino, "it has no name", func(tx *meta.Tx) error { return f.rescue(tx, v, n) })
		}
	}
}

// rescue gives a node without a name one in /lost+found.
func (f *fsck) rescue(tx *meta.Tx, row meta.Volume, n meta.Node) error {
	v := &Volume{s: f.s, row: row}
	found, err := v.lookup(tx, Ino(row.Root), "lost+found")
	if err != nil {
		if found, err = v.create(tx, Ino(row.Root), "lost+found", owned(ModeDir|0o700)); err != nil {
			return err
		}
	}
	if err := tx.PutEntry(found.Ino, fmt.Sprintf("#%d", n.Ino), n.Ino); err != nil {
		return err
	}
	if n, err = tx.Node(n.Ino); err != nil { // it may have been sealed since
		return err
	}
	if !isDir(n) {
		n.Nlink = 1
		return tx.PutNode(&n)
	}
	n.Parent, n.Nlink = found.Ino, max(n.Nlink, 2)
	if err := tx.PutNode(&n); err != nil {
		return err
	}
	return tx.TouchDir(found.Ino, found.Mtime, 1)
}
