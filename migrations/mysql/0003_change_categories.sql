-- The categories a change concerns: where the product was before, and where it is after. Both NULL:
-- any may be concerned. MySQL has no ADD COLUMN IF NOT EXISTS, so this asks first, to be run again.
SET @farmlokal = (
    SELECT IF(COUNT(*) > 0, 'DO 0', 'ALTER TABLE product_changes
        ADD COLUMN category_before VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER product_id,
        ADD COLUMN category_after  VARCHAR(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL AFTER category_before')
    FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'product_changes' AND column_name = 'category_before'
);
PREPARE farmlokal FROM @farmlokal;
EXECUTE farmlokal;
DEALLOCATE PREPARE farmlokal;
