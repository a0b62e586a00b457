package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// database commits transactions to an SQLite database. SQLite runs in a child
// process, because in WAL mode it maps a file into its memory.
type database struct {
	ledger *Ledger
	wal    bool
	acked  int64
	tried  int64
}

const (
	databaseFile = "test.db"
	// A transaction inserts a batch of rows and removes the batch that is
	// databaseKeep older, so that the database stays small.
	databaseRows = 20
	databaseKeep = 25
	rowCells     = 3
	// A few dozen pages, so that WAL checkpoints happen all the time.
	checkpointPages = 40
)

func newDatabase(l *Ledger, wal bool) Writer { return &database{ledger: l, wal: wal} }

func (w *database) Name() string {
	if w.wal {
		return "sqlite-wal"
	}
	return "sqlite-rollback"
}

func (w *database) Clone() Writer { c := *w; return &c }

// Work runs the child and answers its announcements, see databaseChild.
func (w *database) Work(ctx context.Context, dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	c, err := startChild("database", dir, w.journalMode(), strconv.FormatInt(w.tried+1, 10))
	if err != nil {
		return err
	}
	for line, ok := c.hear(); ok; line, ok = c.hear() {
		var n int64
		if _, err := fmt.Sscanf(line, "ack %d", &n); err == nil {
			w.ledger.Enter(func() { w.acked = n })
			continue
		}
		if _, err := fmt.Sscanf(line, "try %d", &n); err != nil {
			return errors.Join(fmt.Errorf("the SQLite process says %q", line), c.end(ctx))
		}
		w.ledger.Enter(func() { w.tried = n })
		if ctx.Err() != nil {
			break
		}
		c.tell("go")
	}
	return c.end(ctx)
}

func (w *database) journalMode() string {
	if w.wal {
		return "wal"
	}
	return "delete"
}

// databaseChild commits transactions to the database in the directory args[0]
// in the journal mode args[1], beginning with number args[2]. It announces each
// with "try N", waits for a line, and confirms the commit with "ack N".
func databaseChild(args []string, in *bufio.Reader, out io.Writer) error {
	next, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	db, err := sqlite.OpenConn(filepath.Join(args[0], databaseFile), sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return err
	}
	defer db.Close() // what counts is the commits' answer
	if err := setUp(db, args[1]); err != nil {
		return err
	}
	for ; ; next++ {
		fmt.Fprintf(out, "try %d\n", next)
		if _, err := in.ReadString('\n'); err != nil {
			return nil // the test has seen enough
		}
		if err := insertBatch(db, next); err != nil {
			return err
		}
		fmt.Fprintf(out, "ack %d\n", next)
	}
}

// setUp makes the table when it is missing. It is not announced; a crash may
// undo it while no transaction is acknowledged.
func setUp(db *sqlite.Conn, mode string) error {
	for _, statement := range []string{
		"PRAGMA journal_mode=" + mode,
		// FULL does not sync the directory after the journal was removed, which is the commit.
		"PRAGMA synchronous=EXTRA",
		fmt.Sprintf("PRAGMA wal_autocheckpoint=%d", checkpointPages),
		"CREATE TABLE IF NOT EXISTS row (batch INTEGER, i INTEGER, payload BLOB, PRIMARY KEY (batch, i))",
		"CREATE INDEX IF NOT EXISTS by_payload ON row (payload)",
	} {
		if err := sqlitex.ExecuteTransient(db, statement, nil); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

func insertBatch(db *sqlite.Conn, batch int64) (err error) {
	end, err := sqlitex.ImmediateTransaction(db)
	if err != nil {
		return err
	}
	defer end(&err)
	for i := range databaseRows {
		err := sqlitex.Execute(db, `INSERT INTO row VALUES (?, ?, ?)`,
			&sqlitex.ExecOptions{Args: []any{batch, i, rowPayload(batch, i)}})
		if err != nil {
			return err
		}
	}
	return sqlitex.Execute(db, `DELETE FROM row WHERE batch <= ?`, &sqlitex.ExecOptions{Args: []any{batch - databaseKeep}})
}

func rowPayload(batch int64, i int) []byte {
	return cells("row", int64(i)*CellSize, rowCells, uint64(batch))
}

func (w *database) Check(dir string) error {
	path := filepath.Join(dir, databaseFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && w.acked == 0 {
		return nil
	}
	db, err := sqlite.OpenConn(path, sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return err
	}
	last, err := checkDatabase(db)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	switch {
	case last < w.acked:
		return fmt.Errorf("the last transaction is %d, acknowledged is %d: %w", last, w.acked, errLost)
	case last > w.tried:
		return fmt.Errorf("the last transaction is %d, the last tried was %d: %w", last, w.tried, errForeign)
	}
	// tried stays: its number is not used for other content again.
	w.acked = last
	return nil
}

// checkDatabase returns the number of the last transaction after checking that
// the database is sound and holds each transaction as a whole.
func checkDatabase(db *sqlite.Conn) (last int64, err error) {
	verdict, err := sqlitex.ResultText(db.Prep(`PRAGMA integrity_check`))
	if err != nil {
		return 0, err
	}
	if verdict != "ok" {
		return 0, fmt.Errorf("integrity_check: %s: %w", verdict, errForeign)
	}
	tables, err := sqlitex.ResultInt64(db.Prep(`SELECT count(*) FROM sqlite_schema WHERE name = 'row'`))
	if err != nil || tables == 0 {
		return 0, err
	}
	counts := map[int64]int{}
	err = sqlitex.Execute(db, `SELECT batch, i, payload FROM row`, &sqlitex.ExecOptions{
		ResultFunc: func(s *sqlite.Stmt) error {
			batch, i := s.ColumnInt64(0), s.ColumnInt(1)
			payload := make([]byte, s.ColumnLen(2))
			s.ColumnBytes(2, payload)
			if string(payload) != string(rowPayload(batch, i)) {
				return fmt.Errorf("row %d of transaction %d shows %s: %w", i, batch, describe(payload[:min(CellSize, len(payload))]), errForeign)
			}
			last = max(last, batch)
			counts[batch]++
			return nil
		},
	})
	if err != nil {
		return 0, err
	}
	for batch, n := range counts {
		if n != databaseRows || batch <= last-databaseKeep {
			return 0, fmt.Errorf("transaction %d of %d shows %d of %d rows: %w", batch, last, n, databaseRows, errLost)
		}
	}
	return last, nil
}
