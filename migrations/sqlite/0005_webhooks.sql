-- The inbox: each event that was sent to us, once, with what has become of it. Times are microseconds
-- since 1970.
CREATE TABLE webhook_events (
    -- AUTOINCREMENT: numbers order events, so the number of a pruned one is never given again.
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    source       TEXT    NOT NULL,
    event_id     TEXT    NOT NULL,
    type         TEXT    NOT NULL,
    occurred_at  INTEGER NOT NULL,
    -- The bytes as they were signed, and their SHA-256.
    payload      BLOB    NOT NULL,
    fingerprint  BLOB    NOT NULL,
    traceparent  TEXT,
    -- pending, processed, ignored or parked.
    state        TEXT    NOT NULL,
    attempts     INTEGER NOT NULL DEFAULT 0,
    -- When it is to be tried next; once it has ended, when that was. One index serves trying and pruning.
    next_at      INTEGER NOT NULL,
    outcome      TEXT    NOT NULL DEFAULT '',
    received_at  INTEGER NOT NULL,
    processed_at INTEGER
) STRICT;

-- What makes an event happen once.
CREATE UNIQUE INDEX webhook_events_once ON webhook_events (source, event_id);
CREATE INDEX webhook_events_by_next     ON webhook_events (state, next_at);
CREATE INDEX webhook_events_by_source   ON webhook_events (source);
CREATE INDEX webhook_events_by_state    ON webhook_events (source, state);

-- Which product a source means by an id of its own. For webhooks and for suppliers alike.
CREATE TABLE external_products (
    source      TEXT NOT NULL,
    external_id TEXT NOT NULL,
    product_id  INTEGER NOT NULL,
    PRIMARY KEY (source, external_id)
) STRICT, WITHOUT ROWID;

-- The newest event that was applied to each aspect of a product, by source: older ones that come late
-- must not undo it. The key is `id:` and our id, or `external:` and the source's own.
CREATE TABLE applied_events (
    source      TEXT    NOT NULL,
    product_key TEXT    NOT NULL,
    -- listing, price or stock.
    aspect      TEXT    NOT NULL,
    at          INTEGER NOT NULL,
    -- The event's number in the inbox: who came later wins among equal times.
    number      INTEGER NOT NULL,
    PRIMARY KEY (source, product_key, aspect)
) STRICT, WITHOUT ROWID;
