-- Returns the sources whose clock may have been wrong, and what changed after its source had counted
-- as complete. The events occurred on one reporting day. $1, $2: bounds of the day. $3: its date.
-- $4: kinds to return. $5: persons, or null for all. $6: only items after this position, or null.
-- $7: maximum number of items.
WITH in_doubt AS (
    -- Reads events_in_doubt.
    SELECT events.*, coalesce(events.session_id, assigned.session_id) AS own_session_id
    FROM events
    LEFT JOIN correlated_events AS assigned
        ON (assigned.source_id, assigned.correlation_key, assigned.occurred_at, assigned.event_id)
            = (events.source_id, events.correlation_key, events.occurred_at, events.event_id)
    WHERE (clock_skewed OR is_late) AND events.occurred_at >= $1 AND events.occurred_at < $2
),
found AS (
    SELECT
        'clock_skew' AS kind, NULL::integer AS person_id, source_id, NULL AS session_id,
        max(received_at) AS at, min(occurred_at) AS other_at, count(*) AS number
    FROM in_doubt WHERE clock_skewed GROUP BY source_id
    UNION ALL
    SELECT
        'changed_after_final', person_id, in_doubt.source_id, sessions.session_id,
        max(received_at), min(occurred_at), count(*)
    FROM in_doubt
    LEFT JOIN sessions ON (sessions.session_id, sessions.source_id)
        = (own_session_id, in_doubt.source_id)
    WHERE is_late GROUP BY in_doubt.source_id, sessions.session_id, person_id
),
placed AS (
    SELECT
        ARRAY[kind, coalesce(normalized_user, ''), coalesce(normalized_realm, ''), sources.name,
            coalesce(session_id, '')] COLLATE "C" AS position,
        found.*,
        display_user AS "user",
        display_realm AS realm,
        sources.name AS source
    FROM found
    JOIN sources ON sources.id = source_id
    LEFT JOIN persons ON persons.id = person_id
    WHERE kind = ANY ($4::text[]) AND ($5::integer[] IS NULL OR person_id = ANY ($5))
)
SELECT
    position, kind, "user", realm, employee_id, source, source_id, session_id, at, number,
    NULL AS other, other_at
FROM placed
LEFT JOIN employee_mappings AS mapping ON mapping.person_id = placed.person_id
    AND $3::date BETWEEN valid_from AND valid_to
WHERE $6::text[] IS NULL OR position > $6
ORDER BY position
LIMIT $7
