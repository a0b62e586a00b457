package meta

import (
	"zombiezen.com/go/sqlite"
)

// StagedPiece is the durable record of which bytes of a staging file are valid. A block may have several
// pieces; a later generation lies over an earlier one.
type StagedPiece struct {
	Block, Gen int64
	Ranges     []byte // encoded by package ranges, relative to the block's start
}

// PutStaged records the valid ranges of a piece staged by a session.
func (tx *Tx) PutStaged(session, ino int64, p StagedPiece) error {
	return tx.run("INSERT OR REPLACE INTO staged VALUES (?,?,?,?,?)", session, ino, p.Block, p.Gen, p.Ranges)
}

// DeleteStaged forgets a piece.
func (tx *Tx) DeleteStaged(session, ino, block, gen int64) error {
	if err := tx.DeleteJournal(session, ino, block, gen); err != nil {
		return err
	}
	return tx.run("DELETE FROM staged WHERE session=? AND ino=? AND block=? AND gen=?", session, ino, block, gen)
}

// AddJournal keeps bytes of a piece, from off on within its block.
func (tx *Tx) AddJournal(session, ino, block, gen, off int64, data []byte) error {
	return tx.run("INSERT INTO journal (session, ino, block, gen, off, data) VALUES (?,?,?,?,?,?)", session, ino, block, gen, off, data)
}

// DeleteJournal drops the bytes kept of a piece: its file is durable, or the piece is gone.
func (tx *Tx) DeleteJournal(session, ino, block, gen int64) error {
	return tx.run("DELETE FROM journal WHERE session=? AND ino=? AND block=? AND gen=?", session, ino, block, gen)
}

// Journal calls fn for the bytes kept of a piece, the oldest first.
func (tx *Tx) Journal(session, ino, block, gen int64, fn func(off int64, data []byte) error) error {
	return tx.rows("SELECT off, data FROM journal WHERE session=? AND ino=? AND block=? AND gen=? ORDER BY id", func(s *sqlite.Stmt) error {
		return fn(s.ColumnInt64(0), blob(s, 1))
	}, session, ino, block, gen)
}

// Staged returns the pieces of a node that a session staged, by block and generation.
func (tx *Tx) Staged(session, ino int64) (list []StagedPiece, err error) {
	err = tx.rows("SELECT block, gen, ranges FROM staged WHERE session=? AND ino=? ORDER BY block, gen", func(s *sqlite.Stmt) error {
		list = append(list, StagedPiece{s.ColumnInt64(0), s.ColumnInt64(1), blob(s, 2)})
		return nil
	}, session, ino)
	return list, err
}

// StagedInos returns the nodes for which a session has staged blocks.
func (tx *Tx) StagedInos(session int64) (inos []int64, err error) {
	err = tx.rows("SELECT DISTINCT ino FROM staged WHERE session=?", func(s *sqlite.Stmt) error {
		inos = append(inos, s.ColumnInt64(0))
		return nil
	}, session)
	return inos, err
}

// MarkUnsealed notes that a node's content has to be sealed by a session.
func (tx *Tx) MarkUnsealed(ino, session int64) error {
	return tx.run("INSERT OR IGNORE INTO unsealed VALUES (?,?)", ino, session)
}

// MarkSealed takes that back, and reports whether other sessions still have to seal the node.
func (tx *Tx) MarkSealed(ino, session int64) (others bool, err error) {
	if err := tx.run("DELETE FROM unsealed WHERE ino=? AND session=?", ino, session); err != nil {
		return false, err
	}
	n, err := tx.integer("SELECT EXISTS (SELECT 1 FROM unsealed WHERE ino=?)", ino)
	return n != 0, err
}

// IsStaged reports whether a piece is recorded.
func (tx *Tx) IsStaged(session, ino, block, gen int64) (bool, error) {
	n, err := tx.integer("SELECT EXISTS (SELECT 1 FROM staged WHERE session=? AND ino=? AND block=? AND gen=?)", session, ino, block, gen)
	return n != 0, err
}

// Unsealed returns the nodes that a session has to seal.
func (tx *Tx) Unsealed(session int64) (inos []int64, err error) {
	err = tx.rows("SELECT ino FROM unsealed WHERE session=?", func(s *sqlite.Stmt) error {
		inos = append(inos, s.ColumnInt64(0))
		return nil
	}, session)
	return inos, err
}

// AddOrphan notes that a node without a name is kept for as long as the session has it open.
func (tx *Tx) AddOrphan(ino, session int64) error {
	return tx.run("INSERT OR REPLACE INTO orphans VALUES (?,?)", ino, session)
}

// RemoveOrphan takes that back: the node got a name.
func (tx *Tx) RemoveOrphan(ino int64) error { return tx.run("DELETE FROM orphans WHERE ino=?", ino) }

// Orphans returns the nameless nodes of a session.
func (tx *Tx) Orphans(session int64) (inos []int64, err error) {
	err = tx.rows("SELECT ino FROM orphans WHERE session=?", func(s *sqlite.Stmt) error {
		inos = append(inos, s.ColumnInt64(0))
		return nil
	}, session)
	return inos, err
}

// StagedElsewhere sums up the unsealed files of other sessions.
func (tx *Tx) StagedElsewhere(session int64) (files, bytes int64, err error) {
	err = tx.row("SELECT count(*), ifnull(sum(n.size), 0) FROM unsealed u JOIN nodes n ON n.ino = u.ino WHERE u.session <> ?", func(s *sqlite.Stmt) error {
		files, bytes = s.ColumnInt64(0), s.ColumnInt64(1)
		return nil
	}, session)
	return files, bytes, err
}
