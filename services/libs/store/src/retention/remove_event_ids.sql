-- Removes the IDs of the events that arrived before $1, in the blocks $2 to $3 (exclusive) of the
-- partition of their month. Returns their number.
WITH removed AS (
    DELETE FROM event_ids USING events
    -- These conditions exclude the other partitions.
    WHERE events.received_at < $1::timestamptz
        AND events.received_at < (SELECT before FROM retention_cutoffs WHERE data = 'events')
        AND events.ctid >= format('(%s,0)', $2::bigint)::tid
        AND events.ctid < format('(%s,0)', $3::bigint)::tid
        AND (event_ids.event_id, event_ids.source_id) = (events.event_id, events.source_id)
    RETURNING 1
), noted AS (
    INSERT INTO audit_log (actor, action, detail)
    SELECT 'retention', 'events.remove',
        jsonb_build_object('before', $1::timestamptz, 'events', count(*))
    FROM removed HAVING count(*) > 0
)
SELECT count(*) AS removed FROM removed
