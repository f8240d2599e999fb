-- What changed, in the order of writing, for what is derived from the products: one row a write.
CREATE TABLE IF NOT EXISTS product_changes (
    number     BIGINT      NOT NULL AUTO_INCREMENT PRIMARY KEY,
    -- NULL: any product may have changed.
    product_id BIGINT      NULL,
    at         DATETIME(6) NOT NULL
) ENGINE = InnoDB;

-- The catalogue's own name: a search index of another database must not be taken for ours.
CREATE TABLE IF NOT EXISTS catalogue (
    one      TINYINT     NOT NULL PRIMARY KEY,
    identity VARCHAR(64) NOT NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET ascii;
INSERT IGNORE INTO catalogue (one, identity) VALUES (1, UUID());
