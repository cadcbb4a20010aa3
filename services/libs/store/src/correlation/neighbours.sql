-- Returns all events of the sessions that new events may change. $1, $2: sources and keys. $3, $4:
-- times of the first and the last new event of each key. The primary key finds the events, because
-- it contains the time.
WITH given AS (
    SELECT * FROM unnest($1::integer[], $2::text[], $3::timestamptz[], $4::timestamptz[])
        AS given (source_id, correlation_key, first_at, last_at)
),
-- Sessions before and after a login do not depend on each other if there is no logout at its time.
-- These logins are not materialized, so that each search below uses the primary key.
bounds AS NOT MATERIALIZED (
    SELECT source_id, correlation_key, occurred_at
    FROM correlated_events AS login
    WHERE kind = 'login' AND NOT EXISTS (
        SELECT FROM correlated_events AS logout
        WHERE (logout.source_id, logout.correlation_key, logout.occurred_at)
            = (login.source_id, login.correlation_key, login.occurred_at)
            AND logout.kind = 'logout'
    )
)
SELECT
    correlated.source_id, correlated.correlation_key, occurred_at, event_id, kind,
    derived_login_at, next_due_at, active_seconds, person_id, normalized_user, normalized_realm,
    names_realm, session_id
FROM given
-- The nearest bounds before and after the new events.
CROSS JOIN LATERAL (
    SELECT max(occurred_at) AS from_at FROM bounds
    WHERE (bounds.source_id, bounds.correlation_key) = (given.source_id, given.correlation_key)
        AND occurred_at < first_at
) AS before
CROSS JOIN LATERAL (
    SELECT min(occurred_at) AS to_at FROM bounds
    WHERE (bounds.source_id, bounds.correlation_key) = (given.source_id, given.correlation_key)
        AND occurred_at > last_at
) AS after
JOIN correlated_events AS correlated
    ON (correlated.source_id, correlated.correlation_key)
        = (given.source_id, given.correlation_key)
    AND occurred_at >= coalesce(from_at, '-infinity') AND occurred_at < coalesce(to_at, 'infinity')
LEFT JOIN persons ON persons.id = person_id
