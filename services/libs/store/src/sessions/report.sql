-- Returns a row for each person with a login in the period. $1, $2: the period. $3: sessions whose
-- last activity is earlier are closed by timeout. $4: the normalized realm, or null for all.
-- $5: the timeout in seconds.
WITH attendance AS (
    -- Reads the index sessions_by_login alone.
    SELECT
        person_id,
        min(login_at) AS first_login_at,
        CASE WHEN bool_and(end_reason IS NOT NULL) THEN max(last_activity_at) END AS last_logout_at
    FROM sessions
    CROSS JOIN LATERAL session_end_reason(
        source_id, login_at, logout_at, last_activity_at, next_due_at, $3::timestamptz, $5::bigint
    )
    WHERE login_at >= $1 AND login_at < $2
    GROUP BY person_id
)
SELECT
    display_user AS "user",
    display_realm AS realm,
    first_login_at,
    last_logout_at
FROM attendance JOIN persons ON persons.id = person_id
WHERE $4::text IS NULL OR normalized_realm = $4
ORDER BY normalized_user, normalized_realm
