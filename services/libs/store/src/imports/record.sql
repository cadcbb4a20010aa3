-- Notes the events that an import brought. $1: the import. $2, $3: source and ID of each event. $4:
-- whether the import recorded the event. Fails with foreign_key_violation if an event was withdrawn
-- meanwhile.
WITH brought AS (
    INSERT INTO imported_events (import_id, source_id, event_id, withdrawable)
    SELECT $1::integer, * FROM unnest($2::integer[], $3::text[], $4::boolean[])
    ON CONFLICT DO NOTHING
    RETURNING 1
)
UPDATE imports SET events = events + (SELECT count(*) FROM brought) WHERE id = $1::integer
