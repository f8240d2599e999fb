-- Who is told of changes: a URL, and the secret that what is sent there is signed with.
CREATE TABLE IF NOT EXISTS subscriptions (
    id         BIGINT        NOT NULL AUTO_INCREMENT,
    url        VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    secret     VARCHAR(128)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- What it is told of, with commas between; empty: of everything.
    kinds      VARCHAR(255)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- The client that made it.
    owner      VARCHAR(255)  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- active or disabled, and why.
    state      VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reason     VARCHAR(500)  CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
    -- Nothing is sent before: the receiver asked to be left alone until then.
    not_before DATETIME(6)   NOT NULL,
    created_at DATETIME(6)   NOT NULL,
    PRIMARY KEY (id)
) ENGINE = InnoDB;

-- What is to be sent to each of them, and what became of it.
CREATE TABLE IF NOT EXISTS deliveries (
    id              BIGINT       NOT NULL AUTO_INCREMENT,
    subscription_id BIGINT       NOT NULL,
    event_id        VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind            VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    product_id      BIGINT       NOT NULL,
    payload         MEDIUMBLOB   NOT NULL,
    -- pending, delivered or failed.
    state           VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    attempts        INT UNSIGNED NOT NULL DEFAULT 0,
    -- When it is to be tried next; while it is in somebody's hands, when it may be taken from them.
    next_at         DATETIME(6)  NOT NULL,
    -- Whose hands: drawn anew each time it is taken, so that one who was too slow is known as such.
    claim           BINARY(16)   NULL,
    last_status     SMALLINT UNSIGNED NULL,
    outcome         VARCHAR(500) CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
    created_at      DATETIME(6)  NOT NULL,
    PRIMARY KEY (id),
    -- What makes a change an event once, however often it is passed on.
    UNIQUE INDEX once     (subscription_id, event_id),
    INDEX by_next         (subscription_id, state, next_at),
    INDEX by_subscription (subscription_id, id),
    INDEX by_created      (created_at)
) ENGINE = InnoDB;

-- How far the log of changes has been passed on, and who does it until when.
CREATE TABLE IF NOT EXISTS change_fan_out (
    one         TINYINT     NOT NULL PRIMARY KEY,
    position    BIGINT      NOT NULL,
    owner       BINARY(16)  NULL,
    lease_until DATETIME(6) NOT NULL
) ENGINE = InnoDB;
-- Nobody was there to be told of what came before.
INSERT IGNORE INTO change_fan_out (one, position, owner, lease_until)
    SELECT 1, COALESCE(MAX(number), 0), NULL, '1970-01-01' FROM product_changes;
