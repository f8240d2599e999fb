-- Requests that carry an Idempotency-Key: who is at work on one, and then the answer, to be given again.
-- Times are microseconds since 1970.
CREATE TABLE idempotency_keys (
    -- SHA-256 of client, operation and key.
    id          BLOB    PRIMARY KEY,
    -- SHA-256 of the request: the same key with another one is a mistake of the client's.
    fingerprint BLOB    NOT NULL,
    -- Who is at work, and until when it may be; after that another may take over, and the first is fenced off.
    owner       BLOB    NOT NULL,
    lease_until INTEGER NOT NULL,
    -- The answer; NULL while somebody is at work.
    status      INTEGER,
    headers     TEXT,
    body        BLOB,
    created_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_keys_by_created ON idempotency_keys (created_at);
