-- Returns the latest event of each correlation key that has events, with its session. $1, $2:
-- sources and keys. The columns of the session are null if the events of that time belong to
-- several sessions.
SELECT
    given.source_id, given.correlation_key, latest_at, session_id, person_id, normalized_user,
    normalized_realm, names_realm, named_at, login_at, login_derived, logout_at, last_activity_at,
    next_due_at, active_seconds, first_event_at
FROM unnest($1::integer[], $2::text[]) AS given (source_id, correlation_key)
CROSS JOIN LATERAL (
    SELECT max(occurred_at) AS latest_at FROM correlated_events AS event
    WHERE (event.source_id, event.correlation_key) = (given.source_id, given.correlation_key)
) AS latest
LEFT JOIN LATERAL (
    SELECT min(session_id) AS session_id FROM correlated_events AS event
    WHERE (event.source_id, event.correlation_key, event.occurred_at)
        = (given.source_id, given.correlation_key, latest_at)
    HAVING count(DISTINCT session_id) = 1
) AS session ON true
LEFT JOIN sessions USING (session_id, source_id)
LEFT JOIN persons ON persons.id = person_id
WHERE latest_at IS NOT NULL
