package meta

import (
	"context"
	"fmt"

	"zombiezen.com/go/sqlite"
)

const (
	// shrinkPages is how many unused pages Shrink gives back at a time, and so what it adds to the log.
	shrinkPages = 16
	// shrinkSlack is the part of the database that may be unused: growing again costs time too.
	shrinkSlack = 4
)

// Shrink gives some pages that deleted rows left back to the disk, if that is much of the database, or all if
// everything is wanted. It reports whether there is more to give.
func (d *DB) Shrink(ctx context.Context, everything bool) (more bool, err error) {
	var free, pages int64
	err = d.View(ctx, func(tx *Tx) error {
		if free, err = tx.integer("PRAGMA freelist_count"); err != nil {
			return err
		}
		pages, err = tx.integer("PRAGMA page_count")
		return err
	})
	if err != nil || free == 0 || !everything && free < max(pages/shrinkSlack, shrinkPages) {
		return false, err
	}
	return free > shrinkPages, d.UpdateFreeing(ctx, func(tx *Tx) error {
		tx.wrote = true
		return tx.rows(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", shrinkPages), func(*sqlite.Stmt) error { return nil })
	})
}
