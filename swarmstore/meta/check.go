package meta

import (
	"zombiezen.com/go/sqlite"
)

// AllEntries calls fn for every directory entry of the store.
func (tx *Tx) AllEntries(fn func(dir int64, name string, ino int64) error) error {
	return tx.rows("SELECT dir, name, ino FROM entries ORDER BY dir, name", func(s *sqlite.Stmt) error {
		return fn(s.ColumnInt64(0), string(blob(s, 1)), s.ColumnInt64(2))
	})
}

// AllNodes calls fn for every node of the store.
func (tx *Tx) AllNodes(fn func(Node) error) error {
	return tx.rows("SELECT "+nodeColumns+" FROM nodes n ORDER BY n.ino", func(s *sqlite.Stmt) error {
		return fn(scanNode(s))
	})
}

// AllOrphans returns the nameless nodes of all sessions.
func (tx *Tx) AllOrphans() (map[int64]bool, error) {
	orphans := make(map[int64]bool)
	err := tx.rows("SELECT ino FROM orphans", func(s *sqlite.Stmt) error {
		orphans[s.ColumnInt64(0)] = true
		return nil
	})
	return orphans, err
}

// AllObjects calls fn for every object, with data.
func (tx *Tx) AllObjects(fn func(Object) error) error {
	return tx.rows("SELECT ref, kind, size, refs, rung, data FROM objects", func(s *sqlite.Stmt) error {
		return fn(Object{
			Ref: blob(s, 0), Kind: ObjectKind(s.ColumnInt64(1)), Size: s.ColumnInt64(2),
			Refs: s.ColumnInt64(3), Rung: Rung(s.ColumnInt64(4)), Data: blob(s, 5),
		})
	})
}

// HasObject reports whether an object is listed.
func (tx *Tx) HasObject(ref []byte) (bool, error) {
	n, err := tx.integer("SELECT EXISTS (SELECT 1 FROM objects WHERE ref = ?)", ref)
	return n != 0, err
}

// Collectable reports whether an object has no references and is listed as garbage.
func (tx *Tx) Collectable(ref []byte) (bool, error) {
	n, err := tx.integer("SELECT EXISTS (SELECT 1 FROM garbage WHERE ref = ?)", ref)
	return n != 0, err
}

// AllStaged calls fn for every staged piece of every session.
func (tx *Tx) AllStaged(fn func(session, ino int64, p StagedPiece) error) error {
	return tx.rows("SELECT session, ino, block, gen, ranges FROM staged", func(s *sqlite.Stmt) error {
		return fn(s.ColumnInt64(0), s.ColumnInt64(1), StagedPiece{Block: s.ColumnInt64(2), Gen: s.ColumnInt64(3), Ranges: blob(s, 4)})
	})
}

// BlockListed reports whether the file of a block is accounted for: by an object, or as doomed.
func (tx *Tx) BlockListed(ref []byte) (bool, error) {
	n, err := tx.integer("SELECT EXISTS (SELECT 1 FROM objects WHERE ref = ?1) OR EXISTS (SELECT 1 FROM doomed WHERE ref = ?1)", ref)
	return n != 0, err
}
