-- Removes up to $1 events that are set aside and past the retention limit of events, with their
-- event IDs. Returns their number.
WITH cutoff AS (
    SELECT before FROM retention_cutoffs WHERE data = 'events'
), removed AS (
    DELETE FROM set_aside_events WHERE (event_id, source_id) IN (
        SELECT event_id, source_id FROM set_aside_events
        WHERE received_at < (SELECT before FROM cutoff) LIMIT $1)
    RETURNING event_id, source_id
), ids AS (
    DELETE FROM event_ids USING removed
    WHERE (event_ids.event_id, event_ids.source_id) = (removed.event_id, removed.source_id)
), noted AS (
    INSERT INTO audit_log (actor, action, detail)
    SELECT 'retention', 'set_aside.remove',
        jsonb_build_object('before', (SELECT before FROM cutoff), 'events', count(*))
    FROM removed HAVING count(*) > 0
)
SELECT count(*) AS removed FROM removed
