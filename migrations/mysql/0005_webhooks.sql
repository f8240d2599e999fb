-- The inbox: each event that was sent to us, once, with what has become of it.
CREATE TABLE IF NOT EXISTS webhook_events (
    number       BIGINT       NOT NULL AUTO_INCREMENT,
    source       VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    event_id     VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    type         VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    occurred_at  DATETIME(6)  NOT NULL,
    -- The bytes as they were signed, and their SHA-256.
    payload      MEDIUMBLOB   NOT NULL,
    fingerprint  BINARY(32)   NOT NULL,
    traceparent  CHAR(55)     CHARACTER SET ascii COLLATE ascii_bin NULL,
    -- pending, processed, ignored or parked.
    state        VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    attempts     INT UNSIGNED NOT NULL DEFAULT 0,
    -- When it is to be tried next; once it has ended, when that was. One index serves trying and pruning.
    next_at      DATETIME(6)  NOT NULL,
    outcome      VARCHAR(500) CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
    received_at  DATETIME(6)  NOT NULL,
    processed_at DATETIME(6)  NULL,
    PRIMARY KEY (number),
    -- What makes an event happen once.
    UNIQUE INDEX once   (source, event_id),
    INDEX by_next       (state, next_at),
    INDEX by_source     (source, number),
    INDEX by_state      (source, state, number)
) ENGINE = InnoDB;

-- Which product a source means by an id of its own. For webhooks and for suppliers alike.
CREATE TABLE IF NOT EXISTS external_products (
    source      VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    external_id VARCHAR(128) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- NULL only inside a transaction, which holds the row as a lock before there is a product.
    product_id  BIGINT       NULL,
    PRIMARY KEY (source, external_id)
) ENGINE = InnoDB;

-- The newest event that was applied to each aspect of a product, by source: older ones that come late
-- must not undo it. The key is `id:` and our id, or `external:` and the source's own.
CREATE TABLE IF NOT EXISTS applied_events (
    source      VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    product_key VARCHAR(140) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    -- listing, price or stock.
    aspect      VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    at          DATETIME(6)  NOT NULL,
    -- The event's number in the inbox: who came later wins among equal times.
    number      BIGINT       NOT NULL,
    PRIMARY KEY (source, product_key, aspect)
) ENGINE = InnoDB;
