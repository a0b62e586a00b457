package meta

import (
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// applicationID marks a store.db in the header of the SQLite file: "swrm".
const applicationID = 0x7377726d

// ErrNewer tells that the database has a schema that this program does not know yet.
var ErrNewer = errors.New("database schema is newer than this program")

// ErrForeign tells that the file is an SQLite database, but not a store's.
var ErrForeign = errors.New("not a swarmfs database")

// migrations lead from schema version i to i+1. A released one never changes.
var migrations = []string{
	`
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counters VALUES ('ino', 1), ('version', 0);

CREATE TABLE volumes (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	name    TEXT NOT NULL UNIQUE,
	key     TEXT NOT NULL,
	owner   BLOB NOT NULL,
	root    INTEGER NOT NULL,
	created INTEGER NOT NULL
);

-- Times are nanoseconds since 1970. content is the reference of a regular file's sealed tree, which
-- has span bytes, of which the first base count; or the target of a symlink.
CREATE TABLE nodes (
	ino       INTEGER PRIMARY KEY,
	volume    INTEGER NOT NULL,
	mode      INTEGER NOT NULL,
	nlink     INTEGER NOT NULL,
	uid       INTEGER NOT NULL,
	gid       INTEGER NOT NULL,
	rdev      INTEGER NOT NULL,
	size      INTEGER NOT NULL,
	span      INTEGER NOT NULL,
	base      INTEGER NOT NULL,
	allocated INTEGER NOT NULL,
	atime     INTEGER NOT NULL,
	mtime     INTEGER NOT NULL,
	ctime     INTEGER NOT NULL,
	btime     INTEGER NOT NULL,
	version   INTEGER NOT NULL,
	parent    INTEGER NOT NULL,
	flags     INTEGER NOT NULL,
	content   BLOB
);

CREATE TABLE entries (
	dir  INTEGER NOT NULL,
	name BLOB NOT NULL,
	ino  INTEGER NOT NULL,
	PRIMARY KEY (dir, name)
) WITHOUT ROWID;
CREATE INDEX entries_ino ON entries (ino);

CREATE TABLE xattrs (
	ino   INTEGER NOT NULL,
	name  BLOB NOT NULL,
	value BLOB NOT NULL,
	PRIMARY KEY (ino, name)
) WITHOUT ROWID;

-- kind: 1 block in a file of its own, 2 block of at most a chunk, in data, 3 intermediate chunk, in data.
-- refs counts the intermediate chunks and nodes that name the object.
CREATE TABLE objects (
	id   INTEGER PRIMARY KEY,
	ref  BLOB NOT NULL UNIQUE,
	kind INTEGER NOT NULL,
	size INTEGER NOT NULL,
	refs INTEGER NOT NULL,
	rung INTEGER NOT NULL,
	data BLOB
);
CREATE TABLE garbage (ref BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE doomed (ref BLOB PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE staged (
	session INTEGER NOT NULL,
	ino     INTEGER NOT NULL,
	block   INTEGER NOT NULL,
	gen     INTEGER NOT NULL,
	ranges  BLOB NOT NULL,
	PRIMARY KEY (session, ino, block, gen)
) WITHOUT ROWID;
CREATE INDEX staged_ino ON staged (ino);

-- Bytes of pieces whose files are not synced: a few kept here spare syncing many files.
CREATE TABLE journal (
	id      INTEGER PRIMARY KEY,
	session INTEGER NOT NULL,
	ino     INTEGER NOT NULL,
	block   INTEGER NOT NULL,
	gen     INTEGER NOT NULL,
	off     INTEGER NOT NULL,
	data    BLOB NOT NULL
);
CREATE INDEX journal_piece ON journal (session, ino, block, gen);
CREATE TABLE unsealed (ino INTEGER NOT NULL, session INTEGER NOT NULL, PRIMARY KEY (ino, session)) WITHOUT ROWID;
CREATE TABLE orphans (ino INTEGER PRIMARY KEY, session INTEGER NOT NULL);

CREATE TABLE sessions (
	id       INTEGER PRIMARY KEY AUTOINCREMENT,
	pid      INTEGER NOT NULL,
	purpose  TEXT NOT NULL,
	detail   TEXT NOT NULL,
	volume   TEXT NOT NULL,
	started  INTEGER NOT NULL,
	watching INTEGER NOT NULL
);
CREATE TABLE changes (
	seq     INTEGER PRIMARY KEY AUTOINCREMENT,
	session INTEGER NOT NULL,
	volume  INTEGER NOT NULL,
	ino     INTEGER NOT NULL,
	dir     INTEGER NOT NULL,
	name    BLOB NOT NULL,
	content INTEGER NOT NULL
);
`,
}

// migrate brings the database to the newest schema, in one transaction.
func migrate(conn *sqlite.Conn) (err error) {
	end, err := sqlitex.ImmediateTransaction(conn)
	if err != nil {
		return err
	}
	defer end(&err)
	version, err := pragmaInt(conn, "user_version")
	if err != nil {
		return err
	}
	id, err := pragmaInt(conn, "application_id")
	if err != nil {
		return err
	}
	tables, err := sqlitex.ResultInt64(conn.Prep("SELECT count(*) FROM sqlite_schema"))
	if err != nil {
		return err
	}
	switch {
	case id != applicationID && tables > 0:
		return ErrForeign
	case version > int64(len(migrations)):
		return fmt.Errorf("%w: version %d, this program knows %d", ErrNewer, version, len(migrations))
	case version == int64(len(migrations)):
		return nil
	}
	for _, script := range migrations[version:] {
		if err := sqlitex.ExecuteScript(conn, script, nil); err != nil {
			return err
		}
	}
	return sqlitex.ExecuteScript(conn, fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, len(migrations)), nil)
}

func pragmaInt(conn *sqlite.Conn, name string) (int64, error) {
	return sqlitex.ResultInt64(conn.Prep("PRAGMA " + name))
}
