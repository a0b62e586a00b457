package meta_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"swarmfs/swarmstore/meta"
)

func open(t testing.TB, path string) *meta.DB {
	t.Helper()
	db, err := meta.Open(t.Context(), path, meta.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return db
}

func put(t testing.TB, db *meta.DB, name string) {
	t.Helper()
	if err := db.Update(t.Context(), func(tx *meta.Tx) error { return tx.InsertEntry(1, name, 2) }); err != nil {
		t.Fatal(err)
	}
}

func has(t testing.TB, db *meta.DB, name string) bool {
	t.Helper()
	err := db.View(t.Context(), func(tx *meta.Tx) error {
		_, err := tx.EntryIno(1, name)
		return err
	})
	if err != nil && !errors.Is(err, meta.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil
}

func TestForeignAndNewerDatabasesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   error
	}{
		"somebody else's": {"CREATE TABLE songs (title TEXT)", meta.ErrForeign},
		"of the future":   {"PRAGMA application_id = 0x7377726d; PRAGMA user_version = 1000; CREATE TABLE counters (x)", meta.ErrNewer},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "store.db")
			conn, err := sqlite.OpenConn(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(sqlitex.ExecuteScript(conn, c.script, nil), conn.Close()); err != nil {
				t.Fatal(err)
			}
			db, err := meta.Open(t.Context(), path, meta.Options{})
			if !errors.Is(err, c.want) {
				t.Errorf("open: %v, %v; want %v", db, err, c.want)
			}
		})
	}
}

func TestChangesShowHereAtOnceAndElsewhereSoon(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	mine, other := open(t, path), open(t, path)
	epoch := other.Epoch()
	put(t, mine, "a")
	if !has(t, mine, "a") {
		t.Error("not visible where it was made")
	}
	deadline := time.Now().Add(time.Second)
	for !has(t, other, "a") || other.Epoch() == epoch {
		if time.Now().After(deadline) {
			t.Fatalf("after a second: visible %t, epoch %d then, %d now", has(t, other, "a"), epoch, other.Epoch())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestFailedAtomicUpdateUndoesItselfOnly(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "store.db"))
	put(t, db, "before")
	failure := errors.New("no")
	err := db.UpdateAtomic(t.Context(), func(tx *meta.Tx) error {
		if err := tx.InsertEntry(1, "undone", 2); err != nil {
			return err
		}
		return failure
	})
	if !errors.Is(err, failure) {
		t.Fatal(err)
	}
	put(t, db, "after")
	if !has(t, db, "before") || has(t, db, "undone") || !has(t, db, "after") || db.Lost() != 0 {
		t.Errorf("before %t, undone %t, after %t, lost %d", has(t, db, "before"), has(t, db, "undone"), has(t, db, "after"), db.Lost())
	}
}

func TestAViewRefusesWrites(t *testing.T) {
	db := open(t, filepath.Join(t.TempDir(), "store.db"))
	if err := db.View(t.Context(), func(tx *meta.Tx) error { return tx.InsertEntry(1, "a", 2) }); err == nil {
		t.Error("a view has written")
	}
}

// Several databases on one file stand for processes: a busy one must not starve the others.
func TestWritersTakeTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store.db")
	const writers, each = 3, 200
	dbs := make([]*meta.DB, writers)
	for n := range dbs {
		dbs[n] = open(t, path)
		s := meta.Session{Purpose: "test"}
		if err := dbs[n].Update(t.Context(), func(tx *meta.Tx) error { return tx.AddSession(&s) }); err != nil {
			t.Fatal(err)
		}
		dbs[n].SetSession(s.ID)
		if err := dbs[n].Commit(); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for n, db := range dbs {
		wg.Go(func() {
			for i := range each {
				name := fmt.Sprintf("%d.%d", n, i)
				if err := db.Update(t.Context(), func(tx *meta.Tx) error { return tx.InsertEntry(1, name, 2) }); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	for _, db := range dbs {
		if err := db.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	for n := range writers {
		for i := range each {
			if name := fmt.Sprintf("%d.%d", n, i); !has(t, dbs[0], name) {
				t.Fatalf("%s is lost", name)
			}
		}
	}
}

func TestAfterCloseEverythingIsAnError(t *testing.T) {
	db, err := meta.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"), meta.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	nothing := func(*meta.Tx) error { return nil }
	for name, err := range map[string]error{
		"view": db.View(t.Context(), nothing), "scan": db.Scan(t.Context(), nothing),
		"update": db.Update(t.Context(), nothing), "sync": db.Sync(t.Context()),
	} {
		if name != "scan" && !errors.Is(err, meta.ErrClosed) || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// BenchmarkCreate is what the metadata of a new file costs: a node, an entry, and its directory's times.
func BenchmarkCreate(b *testing.B) {
	db := open(b, filepath.Join(b.TempDir(), "store.db"))
	n := 0
	for b.Loop() {
		n++
		err := db.Update(b.Context(), func(tx *meta.Tx) error {
			ino, err := tx.NextIno()
			if err != nil {
				return err
			}
			if err := tx.InsertNode(&meta.Node{Ino: ino, Volume: 1, Mode: 0o100644, Nlink: 1}); err != nil {
				return err
			}
			if err := tx.InsertEntry(1, fmt.Sprint(n), ino); err != nil {
				return err
			}
			return tx.TouchDir(1, 1, 0)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
