package meta

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
)

// ErrNotFound tells that the row asked for does not exist.
var ErrNotFound = errors.New("not found")

// Tx is a transaction: a view, or the group transaction that takes writes. It is valid only inside
// the function it was given to.
type Tx struct {
	conn     *sqlite.Conn
	db       *DB
	writable bool
	wrote    bool
}

// bind binds integers, byte slices and texts to the statement's parameters.
func bind(stmt *sqlite.Stmt, args []any) {
	for i, arg := range args {
		switch v := arg.(type) {
		case int64:
			stmt.BindInt64(i+1, v)
		case int:
			stmt.BindInt64(i+1, int64(v))
		case uint32:
			stmt.BindInt64(i+1, int64(v))
		case bool:
			stmt.BindBool(i+1, v)
		case string:
			stmt.BindText(i+1, v)
		case []byte:
			if v == nil {
				stmt.BindNull(i + 1)
			} else {
				stmt.BindBytes(i+1, v)
			}
		default:
			panic(fmt.Sprintf("meta: cannot bind %T", arg))
		}
	}
}

// rows calls fn for every row of the query, until fn returns an error.
func (tx *Tx) rows(query string, fn func(*sqlite.Stmt) error, args ...any) (err error) {
	stmt, err := tx.conn.Prepare(query)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stmt.Reset()) }()
	bind(stmt, args)
	for {
		more, err := stmt.Step()
		if err != nil || !more {
			return err
		}
		if err := fn(stmt); err != nil {
			return err
		}
	}
}

// row calls fn for the query's only row; ErrNotFound if there is none.
func (tx *Tx) row(query string, fn func(*sqlite.Stmt) error, args ...any) (err error) {
	stmt, err := tx.conn.Prepare(query)
	if err != nil {
		return err
	}
	bind(stmt, args)
	more, err := stmt.Step()
	switch {
	case err != nil:
	case !more:
		err = ErrNotFound
	default:
		err = fn(stmt)
	}
	if resetErr := stmt.Reset(); err == nil {
		err = resetErr
	}
	return err
}

// integer returns the first column of the query's only row.
func (tx *Tx) integer(query string, args ...any) (n int64, err error) {
	err = tx.row(query, func(s *sqlite.Stmt) error { n = s.ColumnInt64(0); return nil }, args...)
	return n, err
}

// exec runs a statement that changes something and returns the number of rows it changed.
func (tx *Tx) exec(query string, args ...any) (int, error) {
	if !tx.writable {
		return 0, errors.New("meta: write in a view")
	}
	stmt, err := tx.conn.Prepare(query)
	if err != nil {
		return 0, err
	}
	bind(stmt, args)
	_, err = stmt.Step()
	if resetErr := stmt.Reset(); err == nil {
		err = resetErr
	}
	if err != nil {
		tx.wrote = true // as far as anybody knows
		return 0, fullError(err)
	}
	n := tx.conn.Changes()
	tx.wrote = tx.wrote || n > 0
	return n, nil
}

func (tx *Tx) run(query string, args ...any) error {
	_, err := tx.exec(query, args...)
	return err
}

func fullError(err error) error {
	if sqlite.ErrCode(err).ToPrimary() == sqlite.ResultFull {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// blob copies a column.
func blob(s *sqlite.Stmt, col int) []byte {
	if s.ColumnType(col) == sqlite.TypeNull {
		return nil
	}
	b := make([]byte, s.ColumnLen(col))
	s.ColumnBytes(col, b)
	return b
}

// Version returns the number of this group of changes, which is larger than those before it.
func (tx *Tx) Version() (int64, error) {
	g := &tx.db.group
	if g.version != 0 {
		return g.version, nil
	}
	v, err := tx.next("version", 1)
	if err != nil {
		return 0, err
	}
	g.version = v
	return v, nil
}

// next advances a counter by n and returns its new value.
func (tx *Tx) next(counter string, n int64) (v int64, err error) {
	tx.wrote = true
	err = tx.row("UPDATE counters SET value = value + ? WHERE name = ? RETURNING value", func(s *sqlite.Stmt) error {
		v = s.ColumnInt64(0)
		return nil
	}, n, counter)
	return v, fullError(err)
}

// IntegrityCheck runs SQLite's own check of the file and returns what it found wrong.
func (tx *Tx) IntegrityCheck() (problems []string, err error) {
	err = tx.rows("PRAGMA integrity_check", func(s *sqlite.Stmt) error {
		if text := s.ColumnText(0); text != "ok" {
			problems = append(problems, text)
		}
		return nil
	})
	return problems, err
}
