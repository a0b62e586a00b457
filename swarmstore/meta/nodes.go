package meta

import (
	"zombiezen.com/go/sqlite"
)

// Flags of a node.
const (
	// FlagXattrs: the node has extended attributes.
	FlagXattrs = 1 << iota
	// FlagUnsealed: content is not the whole truth; bytes are staged or the size changed since.
	FlagUnsealed
)

// Node is a row of nodes.
type Node struct {
	Ino, Volume                int64
	Mode, Nlink, UID, GID      uint32
	Rdev                       uint32
	Size, Span, Base           int64
	Allocated                  int64
	Atime, Mtime, Ctime, Btime int64 // nanoseconds since 1970
	Version                    int64
	Parent                     int64 // of a directory
	Flags                      int64
	Content                    []byte
}

const nodeColumns = "n.ino, n.volume, n.mode, n.nlink, n.uid, n.gid, n.rdev, n.size, n.span, n.base, n.allocated, " +
	"n.atime, n.mtime, n.ctime, n.btime, n.version, n.parent, n.flags, n.content"

// nodeWidth is the number of nodeColumns.
const nodeWidth = 19

func scanNode(s *sqlite.Stmt) Node {
	return Node{
		Ino: s.ColumnInt64(0), Volume: s.ColumnInt64(1), Mode: uint32(s.ColumnInt64(2)), Nlink: uint32(s.ColumnInt64(3)),
		UID: uint32(s.ColumnInt64(4)), GID: uint32(s.ColumnInt64(5)), Rdev: uint32(s.ColumnInt64(6)),
		Size: s.ColumnInt64(7), Span: s.ColumnInt64(8), Base: s.ColumnInt64(9), Allocated: s.ColumnInt64(10),
		Atime: s.ColumnInt64(11), Mtime: s.ColumnInt64(12), Ctime: s.ColumnInt64(13), Btime: s.ColumnInt64(14),
		Version: s.ColumnInt64(15), Parent: s.ColumnInt64(16), Flags: s.ColumnInt64(17), Content: blob(s, 18),
	}
}

// Node returns the node with the given inode number.
func (tx *Tx) Node(ino int64) (n Node, err error) {
	err = tx.row("SELECT "+nodeColumns+" FROM nodes n WHERE n.ino = ?", func(s *sqlite.Stmt) error {
		n = scanNode(s)
		return nil
	}, ino)
	return n, err
}

// NextIno returns an inode number that was never given before.
func (tx *Tx) NextIno() (int64, error) { return tx.next("ino", 1) }

// InsertNode adds a node and sets its version.
func (tx *Tx) InsertNode(n *Node) error {
	version, err := tx.Version()
	if err != nil {
		return err
	}
	n.Version = version
	return tx.run("INSERT INTO nodes VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
		n.Ino, n.Volume, n.Mode, n.Nlink, n.UID, n.GID, n.Rdev, n.Size, n.Span, n.Base, n.Allocated,
		n.Atime, n.Mtime, n.Ctime, n.Btime, n.Version, n.Parent, n.Flags, n.Content)
}

// PutNode writes a changed node back, with a new version.
func (tx *Tx) PutNode(n *Node) error {
	version, err := tx.Version()
	if err != nil {
		return err
	}
	n.Version = version
	return tx.run("UPDATE nodes SET mode=?, nlink=?, uid=?, gid=?, size=?, span=?, base=?, allocated=?, "+
		"atime=?, mtime=?, ctime=?, version=?, parent=?, flags=?, content=? WHERE ino=?",
		n.Mode, n.Nlink, n.UID, n.GID, n.Size, n.Span, n.Base, n.Allocated,
		n.Atime, n.Mtime, n.Ctime, n.Version, n.Parent, n.Flags, n.Content, n.Ino)
}

// TouchDir sets the mtime and ctime of a directory whose entries changed and adds to its link count.
func (tx *Tx) TouchDir(ino, now int64, links int) error {
	version, err := tx.Version()
	if err != nil {
		return err
	}
	return tx.run("UPDATE nodes SET mtime=?, ctime=?, version=?, nlink=nlink+? WHERE ino=?", now, now, version, links, ino)
}

// SetAtime sets a node's time of last access, which is no change worth a version.
func (tx *Tx) SetAtime(ino, atime int64) error {
	return tx.run("UPDATE nodes SET atime=? WHERE ino=?", atime, ino)
}

// DeleteNode removes a node with its extended attributes and staged ranges.
func (tx *Tx) DeleteNode(ino int64) error {
	for _, query := range []string{
		"DELETE FROM xattrs WHERE ino=?", "DELETE FROM journal WHERE (session, ino, block, gen) IN (SELECT session, ino, block, gen FROM staged WHERE ino=?)",
		"DELETE FROM staged WHERE ino=?", "DELETE FROM unsealed WHERE ino=?",
		"DELETE FROM orphans WHERE ino=?", "DELETE FROM nodes WHERE ino=?",
	} {
		if err := tx.run(query, ino); err != nil {
			return err
		}
	}
	return nil
}

// Nodes calls fn for every node of a volume, in order of inode numbers greater than after.
func (tx *Tx) Nodes(volume, after int64, limit int, fn func(Node) error) error {
	return tx.rows("SELECT "+nodeColumns+" FROM nodes n WHERE n.ino > ? AND n.volume = ? ORDER BY n.ino LIMIT ?",
		func(s *sqlite.Stmt) error { return fn(scanNode(s)) }, after, volume, limit)
}
