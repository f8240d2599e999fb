-- Full text goes: the search index is the only search engine. No statement names an algorithm: the server drops the
-- index in place where it can. MySQL has no DROP INDEX IF EXISTS, so this asks first, to be run again.
SET @farmlokal = (
    SELECT IF(COUNT(*) > 0, 'ALTER TABLE products DROP INDEX by_words', 'DO 0')
    FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'products' AND index_name = 'by_words'
);
PREPARE farmlokal FROM @farmlokal;
EXECUTE farmlokal;
DEALLOCATE PREPARE farmlokal;

-- InnoDB keeps the hidden column and index of full text until the table is rebuilt. Rebuilding an empty table costs
-- nothing; a filled one keeps them, which costs 8 bytes a row and one small index.
SET @farmlokal = IF(EXISTS (SELECT 1 FROM products), 'DO 0', 'ALTER TABLE products FORCE');
PREPARE farmlokal FROM @farmlokal;
EXECUTE farmlokal;
DEALLOCATE PREPARE farmlokal;

-- A seeding that was interrupted has put the definition aside, to build it at its end.
UPDATE seed_run
SET deferred = JSON_REMOVE(deferred, JSON_UNQUOTE(JSON_SEARCH(deferred, 'one', 'FULLTEXT KEY `by_words` %')))
WHERE JSON_SEARCH(deferred, 'one', 'FULLTEXT KEY `by_words` %') IS NOT NULL;
