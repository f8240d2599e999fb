-- Products, the number of products in each category, and the seeding's progress. MySQL 8+, MariaDB 10.6+.
-- MySQL commits after each statement that defines something, so each can be run again (IF NOT EXISTS).
-- utf8mb4_bin where order or identity matters: it compares by code point, as SQLite does.
CREATE TABLE IF NOT EXISTS products (
    id          BIGINT         NOT NULL AUTO_INCREMENT,
    name        VARCHAR(200)   NOT NULL,
    name_key    VARCHAR(64)    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    description VARCHAR(2000)  NOT NULL,
    category    VARCHAR(64)    CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    price       DECIMAL(12, 2) NOT NULL,
    currency    CHAR(3)        CHARACTER SET ascii NOT NULL,
    unit        VARCHAR(32)    NOT NULL,
    producer    VARCHAR(120)   NOT NULL,
    stock       INT UNSIGNED   NOT NULL,
    created_at  DATETIME(6)    NOT NULL,
    updated_at  DATETIME(6)    NOT NULL,
    version     BIGINT         NOT NULL DEFAULT 1,
    PRIMARY KEY (id),
    -- One index a row of the table in catalog/src/shape.rs.
    INDEX by_price            (price, id),
    INDEX by_name             (name_key, id),
    INDEX by_created          (created_at, id),
    INDEX by_category         (category, id),
    INDEX by_category_price   (category, price, id),
    INDEX by_category_name    (category, name_key, id),
    INDEX by_category_created (category, created_at, id),
    FULLTEXT INDEX by_words   (name, description, producer)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

-- Counted in the transaction that writes the product, so that counts cost no scan.
CREATE TABLE IF NOT EXISTS categories (
    name     VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
    products BIGINT      NOT NULL
) ENGINE = InnoDB;

-- How far the seeding has come, and the definitions it has put aside to build at the end.
CREATE TABLE IF NOT EXISTS seed_run (
    one      TINYINT NOT NULL PRIMARY KEY,
    seed     BIGINT  NOT NULL,
    wanted   BIGINT  NOT NULL,
    loaded   BIGINT  NOT NULL,
    deferred TEXT    NOT NULL,
    finished BOOLEAN NOT NULL DEFAULT FALSE
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4;
