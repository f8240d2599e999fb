-- Who may ask for access tokens. A secret is kept as its Argon2id hash (a PHC string); during a change of
-- secrets the one before is good until previous_until.
CREATE TABLE IF NOT EXISTS oauth_clients (
    -- Bytes: text would be equal to itself with a space behind.
    client_id      VARBINARY(64) NOT NULL PRIMARY KEY,
    name           VARCHAR(120)  NOT NULL,
    scope          VARCHAR(1000) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    secret_hash    VARCHAR(255)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    previous_hash  VARCHAR(255)  CHARACTER SET ascii COLLATE ascii_bin NULL,
    previous_until DATETIME(6)   NULL,
    created_at     DATETIME(6)   NOT NULL,
    disabled_at    DATETIME(6)   NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;

-- The keys that sign access tokens, shared by all replicas. Each has the number after the one before it, so
-- that of several replicas that make a successor at once one wins. From retired_at on a key proves nothing.
CREATE TABLE IF NOT EXISTS oauth_keys (
    number      BIGINT          NOT NULL PRIMARY KEY,
    kid         VARCHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    public_key  VARBINARY(255)  NOT NULL,
    private_key VARBINARY(1000) NOT NULL,
    created_at  DATETIME(6)     NOT NULL,
    retired_at  DATETIME(6)     NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
