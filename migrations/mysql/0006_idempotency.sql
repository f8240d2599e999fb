-- Requests that carry an Idempotency-Key: who is at work on one, and then the answer, to be given again.
CREATE TABLE IF NOT EXISTS idempotency_keys (
    -- SHA-256 of client, operation and key.
    id          BINARY(32) NOT NULL PRIMARY KEY,
    -- SHA-256 of the request: the same key with another one is a mistake of the client's.
    fingerprint BINARY(32) NOT NULL,
    -- Who is at work, and until when it may be; after that another may take over, and the first is fenced off.
    owner       BINARY(16) NOT NULL,
    lease_until DATETIME(6) NOT NULL,
    -- The answer; NULL while somebody is at work.
    status      SMALLINT UNSIGNED NULL,
    headers     TEXT CHARACTER SET utf8mb4 NULL,
    body        MEDIUMBLOB NULL,
    created_at  DATETIME(6) NOT NULL,
    INDEX by_created (created_at)
) ENGINE = InnoDB;
