-- Returns the sessions of a user that have an activity since $2 and that began before $3. A session
-- without a login counts from its last activity. $1: the normalized user. $4: sessions whose last
-- activity is earlier are closed by timeout.
SELECT
    display_user AS "user",
    display_realm AS realm,
    login_at,
    login_derived,
    last_activity_at,
    CASE WHEN end_reason IS NOT NULL THEN last_activity_at END AS ended_at,
    end_reason,
    sources.name AS source,
    session_id
FROM persons
JOIN sessions ON person_id = persons.id
JOIN sources ON sources.id = source_id
CROSS JOIN LATERAL session_end_reason(
    source_id, login_at, logout_at, last_activity_at, next_due_at, $4::timestamptz
)
WHERE normalized_user = $1 AND last_activity_at >= $2 AND coalesce(login_at, last_activity_at) < $3
ORDER BY coalesce(login_at, last_activity_at), session_id
