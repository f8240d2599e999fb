-- Each pull of a supplier's offers, and what became of it. Times are microseconds since 1970.
CREATE TABLE supplier_syncs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    supplier     TEXT    NOT NULL,
    -- queued, running, done or failed.
    state        TEXT    NOT NULL,
    made         INTEGER NOT NULL DEFAULT 0,
    changed      INTEGER NOT NULL DEFAULT 0,
    unchanged    INTEGER NOT NULL DEFAULT 0,
    failed       INTEGER NOT NULL DEFAULT 0,
    pages        INTEGER NOT NULL DEFAULT 0,
    -- Where the next page is; NULL for the first one.
    page_cursor  TEXT,
    attempts     INTEGER NOT NULL DEFAULT 0,
    requested_at INTEGER NOT NULL,
    started_at   INTEGER,
    finished_at  INTEGER,
    error        TEXT    NOT NULL DEFAULT ''
) STRICT;

CREATE INDEX supplier_syncs_by_supplier ON supplier_syncs (supplier);

-- The sync of each supplier that is under way, and to whom it is lent: `fence` counts the lendings, so
-- that an earlier borrower is known as such.
CREATE TABLE supplier_leases (
    supplier   TEXT    NOT NULL PRIMARY KEY,
    sync_id    INTEGER,
    fence      INTEGER NOT NULL DEFAULT 0,
    lent_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
