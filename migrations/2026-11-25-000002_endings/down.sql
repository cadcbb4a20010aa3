DROP INDEX sessions_open;
ALTER TABLE sessions DROP COLUMN ended, DROP COLUMN inferred_from, DROP COLUMN inference;
COMMENT ON FUNCTION session_end IS NULL;
COMMENT ON FUNCTION session_ended IS NULL;
