-- Returns sessions in the order of (begin, source, session ID). A session begins with its login,
-- or with its first event if no login has arrived.
-- $1, $2: the session begins in this period. $3, $4: persons and employee IDs, or null for all.
-- $5: names of sources, or null for all. $6: whether the session is open, or null for both. $7,
-- $8: the reporting days: the first one, and the bounds of all. $9: sessions whose last activity
-- is earlier are closed by timeout. $10: the timeout in seconds. $11 to $13: only sessions after
-- this one, or null. $14: maximum number of sessions.
WITH begun AS (
    -- Reads sessions_by_login, or sessions_by_person for few persons.
    SELECT login_at AS begin_at, sessions.* FROM sessions
    WHERE login_at >= $1 AND login_at < $2 AND ($3::integer[] IS NULL OR person_id = ANY ($3))
    UNION ALL
    -- Reads sessions_without_login.
    SELECT first_event_at, sessions.* FROM sessions
    WHERE login_at IS NULL AND first_event_at >= $1 AND first_event_at < $2
        AND ($3::integer[] IS NULL OR person_id = ANY ($3))
)
SELECT
    begun.source_id,
    session_id,
    begin_at,
    display_user AS "user",
    display_realm AS realm,
    employee_id,
    sources.name AS source,
    login_at,
    login_derived,
    CASE WHEN login_at IS NOT NULL THEN login_derived::integer::bigint END
        AS login_accuracy_seconds,
    last_activity_at,
    CASE WHEN end_reason IS NOT NULL THEN last_activity_at END AS ended_at,
    end_reason,
    -- As in of_user.sql.
    CASE end_reason
        WHEN 'logout' THEN 0
        WHEN 'restart' THEN extract(epoch FROM restarted_at - last_activity_at)
        WHEN 'timeout' THEN least($10, extract(epoch FROM next_due_at - last_activity_at))
    END::bigint AS end_accuracy_seconds,
    active_seconds
FROM begun
JOIN sources ON sources.id = begun.source_id
CROSS JOIN LATERAL session_end_reason(
    source_id, login_at, logout_at, last_activity_at, next_due_at, $9::timestamptz, $10::bigint
)
CROSS JOIN LATERAL restart_after(source_id, login_at, last_activity_at)
LEFT JOIN persons ON persons.id = person_id
-- The mapping on the reporting day in which the session begins.
LEFT JOIN employee_mappings AS mapping ON mapping.person_id = begun.person_id
    AND $7::date + (width_bucket(begin_at, $8::timestamptz[]) - 1) BETWEEN valid_from AND valid_to
WHERE ($4::text[] IS NULL OR employee_id = ANY ($4))
    AND ($5::text[] IS NULL OR sources.name = ANY ($5))
    AND ($6::boolean IS NULL OR (end_reason IS NULL) = $6)
    AND ($11::timestamptz IS NULL
        OR (begin_at, begun.source_id, session_id COLLATE "C") > ($11, $12::integer, $13::text))
ORDER BY begin_at, begun.source_id, session_id COLLATE "C"
LIMIT $14
