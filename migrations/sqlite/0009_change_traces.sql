-- The trace that made a change, as a `traceparent` (W3C Trace Context), if it was recorded: who follows the log goes on
-- with it.
ALTER TABLE product_changes ADD COLUMN traceparent TEXT;
