-- What changed, in the order of writing, for what is derived from the products: one row a write.
CREATE TABLE product_changes (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    -- NULL: any product may have changed.
    product_id INTEGER,
    -- Microseconds since 1970.
    at         INTEGER NOT NULL
) STRICT;

-- The catalogue's own name: a search index of another database must not be taken for ours.
CREATE TABLE catalogue (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    identity TEXT    NOT NULL
) STRICT;
INSERT INTO catalogue (one, identity) VALUES (1, lower(hex(randomblob(16))));
