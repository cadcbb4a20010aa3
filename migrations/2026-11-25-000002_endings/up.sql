-- How a session ended, decided once and kept: stated by its logout, or taken so by the sweeper from the restart of its
-- source or from silence. What the sweeper took holds for the sign of life that it was drawn from; a later one undoes it by itself,
-- whoever writes it. A session that has ended did so at its last sign of life, which a stated logout is too.
ALTER TABLE sessions
    ADD COLUMN inference text CHECK (inference IN ('restart', 'inferred')),
    ADD COLUMN inferred_from timestamptz,
    -- Null while it is open.
    ADD COLUMN ended text GENERATED ALWAYS AS (
        CASE WHEN logout_at >= last_seen_at THEN 'stated' WHEN inferred_from = last_seen_at THEN inference END
    ) STORED;
-- What the sweeper looks through.
CREATE INDEX sessions_open ON sessions (source_id, last_seen_at) WHERE ended IS NULL;
COMMENT ON FUNCTION session_end IS 'For reporting of the earlier release; to be dropped when none runs';
COMMENT ON FUNCTION session_ended IS 'As session_end';
