package meta

import (
	"zombiezen.com/go/sqlite"
)

// Xattr returns the value of an extended attribute.
func (tx *Tx) Xattr(ino int64, name string) (value []byte, err error) {
	err = tx.row("SELECT value FROM xattrs WHERE ino = ? AND name = ?", func(s *sqlite.Stmt) error {
		value = blob(s, 0)
		return nil
	}, ino, []byte(name))
	return value, err
}

// Xattrs calls fn for each extended attribute in order of names.
func (tx *Tx) Xattrs(ino int64, fn func(name string, value []byte) error) error {
	return tx.rows("SELECT name, value FROM xattrs WHERE ino = ? ORDER BY name", func(s *sqlite.Stmt) error {
		return fn(string(blob(s, 0)), blob(s, 1))
	}, ino)
}

// PutXattr sets an extended attribute. The caller sets FlagXattrs.
func (tx *Tx) PutXattr(ino int64, name string, value []byte) error {
	if value == nil {
		value = []byte{}
	}
	return tx.run("INSERT OR REPLACE INTO xattrs VALUES (?,?,?)", ino, []byte(name), value)
}

// DeleteXattr removes an extended attribute and reports how many are left.
func (tx *Tx) DeleteXattr(ino int64, name string) (left int64, err error) {
	n, err := tx.exec("DELETE FROM xattrs WHERE ino = ? AND name = ?", ino, []byte(name))
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, ErrNotFound
	}
	return tx.integer("SELECT count(*) FROM xattrs WHERE ino = ?", ino)
}
