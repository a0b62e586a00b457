package crash

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// database commits transactions to an SQLite database. SQLite runs in a child
// process, because a process that has a file of a killed file system mapped
// into its memory, as SQLite in WAL mode has, dies of SIGBUS with it.
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
	child := exec.Command("/proc/self/exe")
	child.Env = append(os.Environ(), childEnv+"="+dir, fmt.Sprintf("%s=%d", childNextEnv, w.tried+1), childModeEnv+"="+w.journalMode())
	var stderr strings.Builder
	child.Stderr = &stderr
	in, err := child.StdinPipe()
	if err != nil {
		return err
	}
	out, err := child.StdoutPipe()
	if err != nil {
		return err
	}
	if err := child.Start(); err != nil {
		return err
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var n int64
		if _, err := fmt.Sscanf(lines.Text(), "try %d", &n); err == nil {
			w.ledger.Enter(func() { w.tried = n })
			if ctx.Err() != nil {
				break // the closed pipe ends the child
			}
			if _, err := in.Write([]byte("\n")); err != nil {
				break // it died; Wait says of what
			}
		} else if _, err := fmt.Sscanf(lines.Text(), "ack %d", &n); err == nil {
			w.ledger.Enter(func() { w.acked = n })
		}
	}
	err = errors.Join(in.Close(), child.Wait())
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("the SQLite process: %w\n%.500s", err, stderr.String())
	}
	return nil
}

func (w *database) journalMode() string {
	if w.wal {
		return "wal"
	}
	return "delete"
}

// The child is this test binary, started again with these variables set.
const (
	childEnv     = "SWARMFS_CRASH_SQLITE_DIR"
	childModeEnv = "SWARMFS_CRASH_SQLITE_MODE"
	childNextEnv = "SWARMFS_CRASH_SQLITE_NEXT"
)

// DatabaseChild runs the child's part and reports whether this process is one.
// TestMain calls it first.
func DatabaseChild() (isChild bool, err error) {
	dir := os.Getenv(childEnv)
	if dir == "" {
		return false, nil
	}
	var next int64
	if _, err := fmt.Sscan(os.Getenv(childNextEnv), &next); err != nil {
		return true, err
	}
	return true, databaseChild(dir, os.Getenv(childModeEnv), next)
}

// databaseChild commits transactions until its standard input ends. It
// announces each on its standard output with "try N", waits for a line, and
// confirms the commit with "ack N".
func databaseChild(dir, mode string, next int64) error {
	db, err := sqlite.OpenConn(filepath.Join(dir, databaseFile), sqlite.OpenReadWrite|sqlite.OpenCreate)
	if err != nil {
		return err
	}
	defer db.Close() // what counts is the commits' answer
	if err := setUp(db, mode); err != nil {
		return err
	}
	answers := bufio.NewReader(os.Stdin)
	for ; ; next++ {
		fmt.Printf("try %d\n", next)
		if _, err := answers.ReadByte(); err != nil {
			return nil // the test has seen enough
		}
		if err := insertBatch(db, next); err != nil {
			return err
		}
		fmt.Printf("ack %d\n", next)
	}
}

// setUp makes the table when it is missing. It is not announced; a crash may
// undo it while no transaction is acknowledged.
func setUp(db *sqlite.Conn, mode string) error {
	for _, statement := range []string{
		"PRAGMA journal_mode=" + mode,
		"PRAGMA synchronous=FULL",
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
