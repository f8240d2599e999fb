-- The categories a change concerns: where the product was before, and where it is after. Both NULL:
-- any may be concerned.
ALTER TABLE product_changes ADD COLUMN category_before TEXT;
ALTER TABLE product_changes ADD COLUMN category_after TEXT;
