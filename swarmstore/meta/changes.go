package meta

import (
	"zombiezen.com/go/sqlite"
)

// changesKept is how many changes the log holds before the oldest are dropped; who lags further
// behind is told that it missed some.
const changesKept = 50_000

// Change is an entry of the change log. With a Name, what that name in Dir stands for has changed, and Ino
// is what it stood for or stands for now; without, the attributes of Ino have, and with Content its bytes.
type Change struct {
	Seq, Session, Volume int64
	Ino, Dir             int64
	Name                 string
	Content              bool
}

// Note writes a change to the log if another session follows it.
func (tx *Tx) Note(c Change) error {
	if !tx.db.group.watched {
		return nil
	}
	return tx.run("INSERT INTO changes (session, volume, ino, dir, name, content) VALUES (?,?,?,?,?,?)",
		tx.db.session, c.Volume, c.Ino, c.Dir, []byte(c.Name), c.Content)
}

// LastChange returns the sequence number of the newest change.
func (tx *Tx) LastChange() (int64, error) {
	return tx.integer("SELECT ifnull((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0)")
}

// Changes calls fn for the changes of other sessions to a volume after seq. lost tells that some are gone.
func (tx *Tx) Changes(volume, after int64, fn func(Change) error) (lost bool, err error) {
	oldest, err := tx.integer("SELECT ifnull(min(seq), 0) FROM changes")
	if err != nil {
		return false, err
	}
	newest, err := tx.LastChange()
	if err != nil {
		return false, err
	}
	if newest > after && (oldest == 0 || oldest > after+1) {
		return true, nil
	}
	return false, tx.rows("SELECT seq, session, volume, ino, dir, name, content FROM changes WHERE seq > ? AND volume = ? AND session <> ? ORDER BY seq",
		func(s *sqlite.Stmt) error {
			return fn(Change{
				Seq: s.ColumnInt64(0), Session: s.ColumnInt64(1), Volume: s.ColumnInt64(2),
				Ino: s.ColumnInt64(3), Dir: s.ColumnInt64(4), Name: string(blob(s, 5)), Content: s.ColumnInt64(6) != 0,
			})
		}, after, volume, tx.db.session)
}

// TrimChanges drops the oldest changes beyond those kept.
func (tx *Tx) TrimChanges() error {
	newest, err := tx.LastChange()
	if err != nil {
		return err
	}
	return tx.run("DELETE FROM changes WHERE seq <= ?", newest-changesKept)
}
