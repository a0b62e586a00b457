package meta

import (
	"zombiezen.com/go/sqlite"
)

// Entry is a name in a directory together with the node it names.
type Entry struct {
	Dir  int64
	Name string
	Node Node
}

// Entry returns the node that name in dir stands for.
func (tx *Tx) Entry(dir int64, name string) (n Node, err error) {
	err = tx.row("SELECT "+nodeColumns+" FROM entries e JOIN nodes n ON n.ino = e.ino WHERE e.dir = ? AND e.name = ?",
		func(s *sqlite.Stmt) error { n = scanNode(s); return nil }, dir, []byte(name))
	return n, err
}

// EntryIno returns the inode number that name in dir stands for.
func (tx *Tx) EntryIno(dir int64, name string) (int64, error) {
	return tx.integer("SELECT ino FROM entries WHERE dir = ? AND name = ?", dir, []byte(name))
}

// Entries returns at most limit entries of dir with names after the given one, in byte order.
func (tx *Tx) Entries(dir int64, after string, limit int) ([]Entry, error) {
	var list []Entry
	err := tx.rows("SELECT "+nodeColumns+", e.name FROM entries e JOIN nodes n ON n.ino = e.ino WHERE e.dir = ? AND e.name > ? ORDER BY e.name LIMIT ?",
		func(s *sqlite.Stmt) error {
			list = append(list, Entry{Dir: dir, Name: string(blob(s, nodeWidth)), Node: scanNode(s)})
			return nil
		}, dir, []byte(after), limit)
	return list, err
}

// HasEntries reports whether the directory has any entry.
func (tx *Tx) HasEntries(dir int64) (bool, error) {
	n, err := tx.integer("SELECT EXISTS (SELECT 1 FROM entries WHERE dir = ?)", dir)
	return n != 0, err
}

// InsertEntry adds a name that dir does not have yet.
func (tx *Tx) InsertEntry(dir int64, name string, ino int64) error {
	return tx.run("INSERT INTO entries VALUES (?,?,?)", dir, []byte(name), ino)
}

// PutEntry makes name in dir stand for ino, whether it was there or not.
func (tx *Tx) PutEntry(dir int64, name string, ino int64) error {
	return tx.run("INSERT OR REPLACE INTO entries VALUES (?,?,?)", dir, []byte(name), ino)
}

// DeleteEntry removes a name.
func (tx *Tx) DeleteEntry(dir int64, name string) error {
	return tx.run("DELETE FROM entries WHERE dir = ? AND name = ?", dir, []byte(name))
}

// Names calls fn for every entry that stands for ino.
func (tx *Tx) Names(ino int64, fn func(dir int64, name string) error) error {
	return tx.rows("SELECT dir, name FROM entries WHERE ino = ? ORDER BY dir, name", func(s *sqlite.Stmt) error {
		return fn(s.ColumnInt64(0), string(blob(s, 1)))
	}, ino)
}
