-- Products, the number of products in each category, and full text over the words of a product.
-- Money is kept in hundredths and time in microseconds since 1970: SQLite has neither type, and
-- integers compare exactly.
CREATE TABLE products (
    -- AUTOINCREMENT: the id of a deleted product is never given again, so (id, version) is for ever.
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT    NOT NULL,
    name_key    TEXT    NOT NULL,
    description TEXT    NOT NULL,
    category    TEXT    NOT NULL,
    price       INTEGER NOT NULL CHECK (price BETWEEN 0 AND 999999999999),
    currency    TEXT    NOT NULL,
    unit        TEXT    NOT NULL,
    producer    TEXT    NOT NULL,
    stock       INTEGER NOT NULL CHECK (stock >= 0),
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    version     INTEGER NOT NULL DEFAULT 1
) STRICT;

-- One index a row of the table in catalog/src/shape.rs. Each ends in the row's id even though it is
-- not named, and it must not be: SQLite knows a row value `(price, id)` again only in an index whose
-- last column is its own rowid, and then seeks to the row rather than walk through all equal prices.
CREATE INDEX by_price            ON products (price);
CREATE INDEX by_name             ON products (name_key);
CREATE INDEX by_created          ON products (created_at);
CREATE INDEX by_category         ON products (category);
CREATE INDEX by_category_price   ON products (category, price);
CREATE INDEX by_category_name    ON products (category, name_key);
CREATE INDEX by_category_created ON products (category, created_at);

-- Counted in the transaction that writes the product, so that counts cost no scan.
CREATE TABLE categories (
    name     TEXT    PRIMARY KEY,
    products INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE VIRTUAL TABLE product_words USING fts5 (
    name, description, producer,
    content = 'products', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

CREATE TRIGGER product_words_insert AFTER INSERT ON products BEGIN
    INSERT INTO product_words (rowid, name, description, producer)
    VALUES (new.id, new.name, new.description, new.producer);
END;

CREATE TRIGGER product_words_delete AFTER DELETE ON products BEGIN
    INSERT INTO product_words (product_words, rowid, name, description, producer)
    VALUES ('delete', old.id, old.name, old.description, old.producer);
END;

-- Only when a word has changed: a new price or stock does not touch the full text.
CREATE TRIGGER product_words_update AFTER UPDATE ON products
WHEN old.name IS NOT new.name OR old.description IS NOT new.description OR old.producer IS NOT new.producer BEGIN
    INSERT INTO product_words (product_words, rowid, name, description, producer)
    VALUES ('delete', old.id, old.name, old.description, old.producer);
    INSERT INTO product_words (rowid, name, description, producer)
    VALUES (new.id, new.name, new.description, new.producer);
END;

-- How far the seeding has come, and the definitions it has put aside to build at the end.
CREATE TABLE seed_run (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    seed     INTEGER NOT NULL,
    wanted   INTEGER NOT NULL,
    loaded   INTEGER NOT NULL,
    deferred TEXT    NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0
) STRICT;
