package tools

import (
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"swarmfs/test/harness"
)

// Several sqlite3 shells write to one database, in both journal modes: none
// loses a transaction and the database stays sound.
func TestSQLite(t *testing.T) {
	harness.RequireProgram(t, "sqlite3", "sqlite3")
	const writers = 4
	transactions := scaled(25, 500)
	for _, mode := range []string{"delete", "truncate", "persist", "wal"} {
		t.Run(mode, func(t *testing.T) {
			fs := mount(t)
			db := filepath.Join(fs.Dir, "test.db")
			sql := func(script string) (string, error) {
				return command{args: []string{"sqlite3", "-bail", "-cmd", ".timeout 100000", db}, stdin: script}.try()
			}
			got, err := sql("PRAGMA journal_mode=" + mode + "; CREATE TABLE t (writer, i, payload);")
			if err != nil || strings.TrimSpace(got) != mode {
				t.Fatalf("journal mode %q: %v", got, err)
			}
			var wg sync.WaitGroup
			for w := range writers {
				wg.Go(func() {
					if out, err := sql(inserts(w, transactions)); err != nil {
						t.Errorf("writer %d: %v\n%s", w, err, tail(out))
					}
				})
			}
			wg.Wait()
			want := fmt.Sprintf("ok\n%d\n", writers*transactions*3)
			query := "PRAGMA integrity_check; SELECT count(*) FROM t WHERE length(payload) = 3000;"
			if got, err := sql(query); err != nil || got != want {
				t.Fatalf("the database says %q, %v, want %q", got, err, want)
			}
			fs.Remount(t)
			if got, err := sql(query + "VACUUM;"); err != nil || got != want {
				t.Errorf("after a new mount the database says %q, %v, want %q", got, err, want)
			}
		})
	}
}

// inserts is a script of transactions of three rows each.
func inserts(writer, transactions int) string {
	var b strings.Builder
	for i := range transactions {
		b.WriteString("BEGIN IMMEDIATE;\n")
		for range 3 {
			fmt.Fprintf(&b, "INSERT INTO t VALUES (%d, %d, randomblob(3000));\n", writer, i)
		}
		b.WriteString("COMMIT;\n")
	}
	return b.String()
}
