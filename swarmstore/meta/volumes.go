package meta

import (
	"zombiezen.com/go/sqlite"
)

// Volume is a row of volumes.
type Volume struct {
	ID      int64
	Name    string
	Key     string // name of the key that owns it
	Owner   []byte // Ethereum address, 20 bytes
	Root    int64  // inode of its root directory
	Created int64  // nanoseconds since 1970
}

const volumeColumns = "id, name, key, owner, root, created"

func scanVolume(s *sqlite.Stmt) Volume {
	return Volume{ID: s.ColumnInt64(0), Name: s.ColumnText(1), Key: s.ColumnText(2), Owner: blob(s, 3), Root: s.ColumnInt64(4), Created: s.ColumnInt64(5)}
}

// Volume returns the volume of that name.
func (tx *Tx) Volume(name string) (v Volume, err error) {
	err = tx.row("SELECT "+volumeColumns+" FROM volumes WHERE name = ?", func(s *sqlite.Stmt) error {
		v = scanVolume(s)
		return nil
	}, name)
	return v, err
}

// Volumes returns all volumes by name.
func (tx *Tx) Volumes() (list []Volume, err error) {
	err = tx.rows("SELECT "+volumeColumns+" FROM volumes ORDER BY name", func(s *sqlite.Stmt) error {
		list = append(list, scanVolume(s))
		return nil
	})
	return list, err
}

// AddVolume adds a volume and sets its ID.
func (tx *Tx) AddVolume(v *Volume) error {
	if err := tx.run("INSERT INTO volumes (name, key, owner, root, created) VALUES (?,?,?,?,?)", v.Name, v.Key, v.Owner, v.Root, v.Created); err != nil {
		return err
	}
	v.ID = tx.conn.LastInsertRowID()
	return nil
}

// SetVolumeRoot sets the root directory of a new volume.
func (tx *Tx) SetVolumeRoot(id, root int64) error {
	return tx.run("UPDATE volumes SET root = ? WHERE id = ?", root, id)
}

// DeleteVolume removes a volume's row; its nodes are the caller's to delete.
func (tx *Tx) DeleteVolume(id int64) error { return tx.run("DELETE FROM volumes WHERE id = ?", id) }

// VolumeUse returns the number of nodes of a volume and the sum of the sizes of its regular files.
func (tx *Tx) VolumeUse(id int64) (nodes, bytes int64, err error) {
	err = tx.row("SELECT count(*), ifnull(sum(CASE WHEN mode & 61440 = 32768 THEN size ELSE 0 END), 0) FROM nodes WHERE volume = ? AND nlink > 0", func(s *sqlite.Stmt) error {
		nodes, bytes = s.ColumnInt64(0), s.ColumnInt64(1)
		return nil
	}, id)
	return nodes, bytes, err
}

// NodeCount returns an estimate of the number of nodes in the store that costs nothing: the highest inode number.
func (tx *Tx) NodeCount() (int64, error) {
	return tx.integer("SELECT ifnull(max(ino), 0) FROM nodes")
}

// SetVolumeName renames a volume.
func (tx *Tx) SetVolumeName(id int64, name string) error {
	return tx.run("UPDATE volumes SET name = ? WHERE id = ?", name, id)
}

// DeleteEntries removes all entries of a directory.
func (tx *Tx) DeleteEntries(dir int64) error { return tx.run("DELETE FROM entries WHERE dir = ?", dir) }
