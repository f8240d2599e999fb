-- Who may ask for access tokens. A secret is kept as its Argon2id hash (a PHC string); during a change of
-- secrets the one before is good until previous_until. Times are microseconds since 1970.
CREATE TABLE oauth_clients (
    client_id      TEXT    PRIMARY KEY,
    name           TEXT    NOT NULL,
    scope          TEXT    NOT NULL,
    secret_hash    TEXT    NOT NULL,
    previous_hash  TEXT,
    previous_until INTEGER,
    created_at     INTEGER NOT NULL,
    disabled_at    INTEGER
) STRICT, WITHOUT ROWID;

-- The keys that sign access tokens, shared by all processes. Each has the number after the one before it, so
-- that of several processes that make a successor at once one wins. From retired_at on a key proves nothing.
CREATE TABLE oauth_keys (
    number      INTEGER PRIMARY KEY,
    kid         TEXT    NOT NULL,
    public_key  BLOB    NOT NULL,
    private_key BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    retired_at  INTEGER
) STRICT;
