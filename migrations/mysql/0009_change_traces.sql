-- The trace that made a change, as a `traceparent` (W3C Trace Context), if it was recorded: who follows the log goes on
-- with it. MySQL has no ADD COLUMN IF NOT EXISTS, so this asks first, to be run again.
SET @farmlokal = (
    SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE product_changes
        ADD COLUMN traceparent VARCHAR(64) CHARACTER SET ascii NULL')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'product_changes' AND column_name = 'traceparent'
);
PREPARE farmlokal FROM @farmlokal;
EXECUTE farmlokal;
DEALLOCATE PREPARE farmlokal;
