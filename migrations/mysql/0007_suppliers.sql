-- Each pull of a supplier's offers, and what became of it.
CREATE TABLE IF NOT EXISTS supplier_syncs (
    id           BIGINT        NOT NULL AUTO_INCREMENT,
    supplier     VARCHAR(64)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    -- queued, running, done or failed.
    state        VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    made         BIGINT        NOT NULL DEFAULT 0,
    changed      BIGINT        NOT NULL DEFAULT 0,
    unchanged    BIGINT        NOT NULL DEFAULT 0,
    failed       BIGINT        NOT NULL DEFAULT 0,
    pages        BIGINT        NOT NULL DEFAULT 0,
    -- Where the next page is; NULL for the first one.
    page_cursor  VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL,
    attempts     INT UNSIGNED  NOT NULL DEFAULT 0,
    requested_at DATETIME(6)   NOT NULL,
    started_at   DATETIME(6)   NULL,
    finished_at  DATETIME(6)   NULL,
    error        VARCHAR(500)  CHARACTER SET utf8mb4 NOT NULL DEFAULT '',
    PRIMARY KEY (id),
    INDEX by_supplier (supplier, id)
) ENGINE = InnoDB;

-- The sync of each supplier that is under way, and to whom it is lent: `fence` counts the lendings, so
-- that an earlier borrower is known as such.
CREATE TABLE IF NOT EXISTS supplier_leases (
    supplier   VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    sync_id    BIGINT      NULL,
    fence      BIGINT      NOT NULL DEFAULT 0,
    lent_until DATETIME(6) NOT NULL
) ENGINE = InnoDB;
