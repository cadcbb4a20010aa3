-- Returns the events of a session in the order of (time, event ID). $1, $2: the session. $3, $4:
-- only events after this one, or null. $5: maximum number of events.
WITH session AS (
    SELECT source_id, session_id, correlation_key FROM sessions
    WHERE session_id = $2 AND source_id = $1
),
-- Reads events_by_session. Events with a correlation key are assigned to their session in
-- correlated_events.
own AS (
    SELECT events.* FROM session
    JOIN events ON events.source_id = session.source_id
        AND coalesce(events.session_id, events.correlation_key)
            = coalesce(session.correlation_key, session.session_id)
        AND (events.correlation_key IS NULL) = (session.correlation_key IS NULL)
    WHERE session.correlation_key IS NULL OR EXISTS (
        SELECT FROM correlated_events AS assigned
        WHERE (assigned.source_id, assigned.correlation_key, assigned.occurred_at,
                assigned.event_id)
            = (events.source_id, events.correlation_key, events.occurred_at, events.event_id)
            AND assigned.session_id = session.session_id
    )
)
SELECT
    event_id,
    CASE kind WHEN 'derived_login' THEN 'login' ELSE kind END AS kind,
    kind = 'derived_login' AS is_derived,
    occurred_at,
    received_at,
    receiver,
    -- The file that brought the event first, unless that import was undone.
    (
        SELECT file_name FROM imported_events JOIN imports ON imports.id = import_id
        WHERE (imported_events.event_id, imported_events.source_id)
            = (own.event_id, own.source_id) AND undone_at IS NULL
        ORDER BY imports.id LIMIT 1
    ) AS import,
    user_name AS "user",
    realm,
    CASE WHEN reported_user IS NULL THEN user_name ELSE reported_user END AS reported_user,
    CASE WHEN reported_user IS NULL THEN realm ELSE reported_realm END AS reported_realm,
    display_name, correlation_key, reason, client_ip, wan_ip, mac, device, class, active_seconds,
    duration_seconds, next_in_seconds, last_activity_at, complete_through, clock_skewed, is_late
FROM own
WHERE $3::timestamptz IS NULL OR (occurred_at, event_id COLLATE "C") > ($3, $4::text)
ORDER BY occurred_at, event_id COLLATE "C"
LIMIT $5
