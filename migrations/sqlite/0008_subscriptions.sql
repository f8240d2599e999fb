-- Who is told of changes: a URL, and the secret that what is sent there is signed with. Times are
-- microseconds since 1970.
CREATE TABLE subscriptions (
    -- AUTOINCREMENT: the id of one that is gone is never given again.
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    url        TEXT    NOT NULL,
    secret     TEXT    NOT NULL,
    -- What it is told of, with commas between; empty: of everything.
    kinds      TEXT    NOT NULL,
    -- The client that made it.
    owner      TEXT    NOT NULL,
    -- active or disabled, and why.
    state      TEXT    NOT NULL,
    reason     TEXT    NOT NULL DEFAULT '',
    -- Nothing is sent before: the receiver asked to be left alone until then.
    not_before INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- What is to be sent to each of them, and what became of it.
CREATE TABLE deliveries (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    subscription_id INTEGER NOT NULL,
    event_id        TEXT    NOT NULL,
    kind            TEXT    NOT NULL,
    product_id      INTEGER NOT NULL,
    payload         BLOB    NOT NULL,
    -- pending, delivered or failed.
    state           TEXT    NOT NULL,
    attempts        INTEGER NOT NULL DEFAULT 0,
    -- When it is to be tried next; while it is in somebody's hands, when it may be taken from them.
    next_at         INTEGER NOT NULL,
    -- Whose hands: drawn anew each time it is taken, so that one who was too slow is known as such.
    claim           BLOB,
    last_status     INTEGER,
    outcome         TEXT    NOT NULL DEFAULT '',
    created_at      INTEGER NOT NULL
) STRICT;

-- What makes a change an event once, however often it is passed on.
CREATE UNIQUE INDEX deliveries_once     ON deliveries (subscription_id, event_id);
CREATE INDEX deliveries_by_next         ON deliveries (subscription_id, state, next_at);
CREATE INDEX deliveries_by_subscription ON deliveries (subscription_id);
CREATE INDEX deliveries_by_created      ON deliveries (created_at);

-- How far the log of changes has been passed on, and who does it until when.
CREATE TABLE change_fan_out (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    position    INTEGER NOT NULL,
    owner       BLOB,
    lease_until INTEGER NOT NULL
) STRICT;
-- Nobody was there to be told of what came before.
INSERT INTO change_fan_out (one, position, owner, lease_until)
    SELECT 1, coalesce(max(number), 0), NULL, 0 FROM product_changes;
