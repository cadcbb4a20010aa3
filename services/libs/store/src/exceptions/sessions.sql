-- Returns what is noticeable about single sessions that begin on a reporting day.
-- $1, $2: bounds of the day. $3: its date. $4: kinds to return. $5: persons, or null for all.
-- $6: the present time. $7: sessions whose last activity is earlier are closed by timeout. $8: only
-- items after this position, or null. $9: maximum number of items. $10: the timeout in
-- seconds.
WITH begun AS (
    -- Reads sessions_by_login, or sessions_by_person for few persons.
    SELECT * FROM sessions
    WHERE login_at >= $1 AND login_at < $2 AND ($5::integer[] IS NULL OR person_id = ANY ($5))
    UNION ALL
    -- Reads sessions_without_login.
    SELECT * FROM sessions
    WHERE login_at IS NULL AND first_event_at >= $1 AND first_event_at < $2
        AND ($5::integer[] IS NULL OR person_id = ANY ($5))
),
found AS (
    SELECT kind, begun.person_id, source_id, session_id, at, number, end_reason AS other
    FROM begun
    CROSS JOIN LATERAL session_end_reason(
        source_id, login_at, logout_at, last_activity_at, next_due_at, $7::timestamptz, $10::bigint
    )
    -- An open session lasts until now.
    CROSS JOIN LATERAL (
        SELECT CASE WHEN end_reason IS NULL THEN $6::timestamptz ELSE last_activity_at END
            - login_at AS duration
    ) AS lasting
    CROSS JOIN LATERAL (VALUES
        ('closed_by_restart', end_reason = 'restart', last_activity_at, NULL),
        ('closed_by_timeout', end_reason = 'timeout', last_activity_at, NULL),
        ('logout_without_login', login_at IS NULL, logout_at, NULL),
        ('open_longer_than_a_day', duration > interval '24 hours', login_at,
            extract(epoch FROM duration)::bigint)
    ) AS kinds (kind, applies, at, number)
    WHERE applies AND at IS NOT NULL AND kind = ANY ($4::text[])
),
placed AS (
    SELECT
        ARRAY[kind, coalesce(normalized_user, ''), coalesce(normalized_realm, ''), sources.name,
            session_id] COLLATE "C" AS position,
        found.*,
        display_user AS "user",
        display_realm AS realm,
        sources.name AS source
    FROM found
    JOIN sources ON sources.id = source_id
    LEFT JOIN persons ON persons.id = person_id
)
SELECT
    position, kind, "user", realm, employee_id, source, source_id, session_id, at, number, other,
    NULL::timestamptz AS other_at
FROM placed
LEFT JOIN employee_mappings AS mapping ON mapping.person_id = placed.person_id
    AND $3::date BETWEEN valid_from AND valid_to
WHERE $8::text[] IS NULL OR position > $8
ORDER BY position
LIMIT $9
