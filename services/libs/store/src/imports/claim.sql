-- Notes that a receiver brought events that an import had recorded, so that undoing the import
-- does not withdraw them. $1, $2: source and ID of each event. The rows are locked in the order of
-- the events, so that callers at the same time do not deadlock.
WITH locked AS (
    SELECT event_id, source_id, import_id FROM imported_events
    JOIN unnest($1::integer[], $2::text[]) AS given (source_id, event_id)
        USING (source_id, event_id)
    WHERE withdrawable
    ORDER BY source_id, event_id COLLATE "C" FOR UPDATE OF imported_events
)
UPDATE imported_events SET withdrawable = false FROM locked
WHERE (imported_events.event_id, imported_events.source_id, imported_events.import_id)
    = (locked.event_id, locked.source_id, locked.import_id)
