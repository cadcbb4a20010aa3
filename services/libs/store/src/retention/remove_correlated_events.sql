-- Removes up to $1 events with a correlation key that are past the retention limit of events, if
-- their session has no later event. Returns their number.
WITH cutoff AS (
    SELECT before FROM retention_cutoffs WHERE data = 'events'
), removed AS (
    DELETE FROM correlated_events
    WHERE (source_id, correlation_key, occurred_at, event_id) IN (
        SELECT event.source_id, event.correlation_key, event.occurred_at, event.event_id
        FROM correlated_events AS event
        LEFT JOIN sessions USING (session_id, source_id)
        WHERE event.occurred_at < (SELECT before FROM cutoff)
            -- A session keeps all its events, because a late event computes it again.
            AND (last_activity_at < (SELECT before FROM cutoff) OR last_activity_at IS NULL)
        LIMIT $1)
    RETURNING 1
), noted AS (
    INSERT INTO audit_log (actor, action, detail)
    SELECT 'retention', 'correlated_events.remove',
        jsonb_build_object('before', (SELECT before FROM cutoff), 'events', count(*))
    FROM removed HAVING count(*) > 0
)
SELECT count(*) AS removed FROM removed
