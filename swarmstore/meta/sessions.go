package meta

import (
	"zombiezen.com/go/sqlite"
)

// Session is a process that has the store open.
type Session struct {
	ID       int64
	PID      int64
	Purpose  string // mount, command, registry …
	Detail   string // the mount point, for instance
	Volume   string // the volume's name, if it serves one
	Started  int64  // nanoseconds since 1970
	Watching bool   // it follows the change log
}

// AddSession registers a session and sets its ID.
func (tx *Tx) AddSession(s *Session) error {
	if err := tx.run("INSERT INTO sessions (pid, purpose, detail, volume, started, watching) VALUES (?,?,?,?,?,0)",
		s.PID, s.Purpose, s.Detail, s.Volume, s.Started); err != nil {
		return err
	}
	s.ID = tx.conn.LastInsertRowID()
	return nil
}

// SetWatching says whether a session follows the change log.
func (tx *Tx) SetWatching(id int64, on bool) error {
	return tx.run("UPDATE sessions SET watching=? WHERE id=?", on, id)
}

// DeleteSession removes a session.
func (tx *Tx) DeleteSession(id int64) error { return tx.run("DELETE FROM sessions WHERE id=?", id) }

// Sessions returns all sessions, those of dead processes included.
func (tx *Tx) Sessions() (list []Session, err error) {
	err = tx.rows("SELECT id, pid, purpose, detail, volume, started, watching FROM sessions ORDER BY id", func(s *sqlite.Stmt) error {
		list = append(list, Session{
			ID: s.ColumnInt64(0), PID: s.ColumnInt64(1), Purpose: s.ColumnText(2), Detail: s.ColumnText(3),
			Volume: s.ColumnText(4), Started: s.ColumnInt64(5), Watching: s.ColumnInt64(6) != 0,
		})
		return nil
	})
	return list, err
}

// SetSession tells the database which session is this process's own, so that it knows about others.
func (d *DB) SetSession(id int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.session = id
}
