package meta

import (
	"zombiezen.com/go/sqlite"
)

// ObjectKind tells what an object is and where its bytes are.
type ObjectKind int64

// The kinds of objects.
const (
	KindBlockFile   ObjectKind = 1 // a block of more than a chunk, in a file of its own
	KindBlockInline ObjectKind = 2 // a block of at most a chunk, in the database
	KindNode        ObjectKind = 3 // an intermediate chunk (span and references), in the database
)

// Rung is the step of the ladder of durability that an object is known to stand on.
type Rung int64

// The rungs above staged, which is a state of files.
const (
	RungLocal   Rung = 1 // on this disk
	RungNode    Rung = 2 // a Bee node accepted it
	RungNetwork Rung = 3 // the network confirmed it
)

// Object is a row of objects: a block or an intermediate chunk.
type Object struct {
	Ref  []byte
	Kind ObjectKind
	Size int64 // bytes of the content below it
	Refs int64
	Rung Rung
	Data []byte
}

// ObjectData returns the kind and, for those in the database, the bytes of an object.
func (tx *Tx) ObjectData(ref []byte) (kind ObjectKind, data []byte, err error) {
	err = tx.row("SELECT kind, data FROM objects WHERE ref = ?", func(s *sqlite.Stmt) error {
		kind, data = ObjectKind(s.ColumnInt64(0)), blob(s, 1)
		return nil
	}, ref)
	return kind, data, err
}

// InsertObject adds an object without references unless it is there, and reports whether it was added.
func (tx *Tx) InsertObject(ref []byte, kind ObjectKind, size int64, data []byte) (added bool, err error) {
	n, err := tx.exec("INSERT OR IGNORE INTO objects (ref, kind, size, refs, rung, data) VALUES (?,?,?,0,?,?)",
		ref, int64(kind), size, int64(RungLocal), data)
	return n > 0, err
}

// AddRef counts one more reference to an object; ErrNotFound if it does not exist.
func (tx *Tx) AddRef(ref []byte) error {
	n, err := tx.exec("UPDATE objects SET refs = refs + 1 WHERE ref = ?", ref)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	return err
}

// DropRef counts one reference less and puts an object without references on the garbage list.
func (tx *Tx) DropRef(ref []byte) error {
	refs := int64(-1)
	wrote := tx.wrote
	tx.wrote = true // whatever becomes of it
	err := tx.row("UPDATE objects SET refs = refs - 1 WHERE ref = ? RETURNING refs", func(s *sqlite.Stmt) error {
		refs = s.ColumnInt64(0)
		return nil
	}, ref)
	if err == ErrNotFound {
		tx.wrote = wrote
	}
	if err != nil {
		return fullError(err)
	}
	if refs > 0 {
		return nil
	}
	return tx.run("INSERT OR IGNORE INTO garbage VALUES (?)", ref)
}

// Garbage takes at most limit objects off the garbage list that are still without references, and deletes
// them. The caller drops the references they held and removes the files of those with KindBlockFile, which
// are now listed as doomed.
func (tx *Tx) Garbage(limit int) (dead []Object, taken int, err error) {
	var refs [][]byte
	err = tx.rows("SELECT ref FROM garbage LIMIT ?", func(s *sqlite.Stmt) error {
		refs = append(refs, blob(s, 0))
		return nil
	}, limit)
	if err != nil {
		return nil, 0, err
	}
	for _, ref := range refs {
		if err := tx.run("DELETE FROM garbage WHERE ref = ?", ref); err != nil {
			return nil, 0, err
		}
		err := tx.row("DELETE FROM objects WHERE ref = ? AND refs <= 0 RETURNING kind, size, data", func(s *sqlite.Stmt) error {
			dead = append(dead, Object{Ref: ref, Kind: ObjectKind(s.ColumnInt64(0)), Size: s.ColumnInt64(1), Data: blob(s, 2)})
			return nil
		}, ref)
		if err == ErrNotFound {
			continue
		}
		if err != nil {
			return nil, 0, err
		}
		if dead[len(dead)-1].Kind == KindBlockFile {
			if err := tx.run("INSERT OR IGNORE INTO doomed VALUES (?)", ref); err != nil {
				return nil, 0, err
			}
		}
	}
	return dead, len(refs), nil
}

// Doomed returns at most limit references of block files that may be removed, unless an object came back for them.
func (tx *Tx) Doomed(limit int) (refs [][]byte, err error) {
	err = tx.rows("SELECT ref FROM doomed LIMIT ?", func(s *sqlite.Stmt) error {
		refs = append(refs, blob(s, 0))
		return nil
	}, limit)
	return refs, err
}

// Undoom takes a reference off the list of doomed block files.
func (tx *Tx) Undoom(ref []byte) error { return tx.run("DELETE FROM doomed WHERE ref = ?", ref) }

// SetRefs corrects the reference count of an object.
func (tx *Tx) SetRefs(ref []byte, refs int64) error {
	if err := tx.run("UPDATE objects SET refs = ? WHERE ref = ?", refs, ref); err != nil || refs > 0 {
		return err
	}
	return tx.run("INSERT OR IGNORE INTO garbage VALUES (?)", ref)
}

// RungTotal is the number and size of the blocks on one rung.
type RungTotal struct {
	Rung          Rung
	Blocks, Bytes int64
}

// Rungs sums the blocks by rung.
func (tx *Tx) Rungs() (totals []RungTotal, err error) {
	err = tx.rows("SELECT rung, count(*), sum(size) FROM objects WHERE kind IN (1, 2) GROUP BY rung ORDER BY rung", func(s *sqlite.Stmt) error {
		totals = append(totals, RungTotal{Rung(s.ColumnInt64(0)), s.ColumnInt64(1), s.ColumnInt64(2)})
		return nil
	})
	return totals, err
}

// GarbageEmpty reports whether the garbage list is empty.
func (tx *Tx) GarbageEmpty() (bool, error) {
	n, err := tx.integer("SELECT EXISTS (SELECT 1 FROM garbage)")
	return n == 0, err
}

// ObjectRung calls fn with the rung of an object, if the store has it.
func (tx *Tx) ObjectRung(ref []byte, fn func(Rung)) error {
	return tx.rows("SELECT rung FROM objects WHERE ref = ?", func(s *sqlite.Stmt) error {
		fn(Rung(s.ColumnInt64(0)))
		return nil
	}, ref)
}
