-- Returns a row for each person with this user name and a login in the period. $1, $2: the period.
-- $3: sessions whose last activity is earlier are closed by timeout. $4: the normalized realm, or
-- null for all. $5: the timeout in seconds. $6: the normalized user.
SELECT
    display_user AS "user",
    display_realm AS realm,
    min(login_at) AS first_login_at,
    CASE WHEN bool_and(end_reason IS NOT NULL) THEN max(last_activity_at) END AS last_logout_at
FROM persons
JOIN sessions ON person_id = persons.id
CROSS JOIN LATERAL session_end_reason(
    source_id, login_at, logout_at, last_activity_at, next_due_at, $3::timestamptz, $5::bigint
)
WHERE normalized_user = $6 AND ($4::text IS NULL OR normalized_realm = $4)
    AND login_at >= $1 AND login_at < $2
GROUP BY persons.id
ORDER BY normalized_realm
