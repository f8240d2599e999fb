-- Full text goes: the search index is the only search engine. SQLite keeps the pages it frees and uses them for later
-- rows; VACUUM gives them back to the disk.
DROP TRIGGER IF EXISTS product_words_insert;
DROP TRIGGER IF EXISTS product_words_delete;
DROP TRIGGER IF EXISTS product_words_update;
DROP TABLE IF EXISTS product_words;

-- The triggers that an interrupted seeding has put aside go as well: they write to a table that is no more.
UPDATE seed_run SET deferred = (
    SELECT json_group_array(json(value)) FROM json_each(deferred)
    WHERE json_extract(value, '$.name') NOT LIKE 'product_words_%'
);
