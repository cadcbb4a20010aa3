-- Returns the sessions of a user that have an activity since $2 and that began before $3. A session
-- without a login counts from its last activity. $1: the normalized user. $4: sessions whose last
-- activity is earlier are closed by timeout. $5: the timeout in seconds.
--
-- The accuracy of a time is the number of seconds by which the time may be wrong. Null: unknown.
SELECT
    display_user AS "user",
    display_realm AS realm,
    login_at,
    login_derived,
    -- The session duration in a logout is in whole seconds.
    CASE WHEN login_at IS NOT NULL THEN login_derived::integer::bigint END
        AS login_accuracy_seconds,
    last_activity_at,
    CASE WHEN end_reason IS NOT NULL THEN last_activity_at END AS ended_at,
    end_reason,
    CASE end_reason
        WHEN 'logout' THEN 0
        -- The user was there at the last activity and not after the restart.
        WHEN 'restart' THEN extract(epoch FROM restarted_at - last_activity_at)
        -- An announced activity that did not come closes the session before the timeout.
        WHEN 'timeout' THEN least($5, extract(epoch FROM next_due_at - last_activity_at))
    END::bigint AS end_accuracy_seconds,
    sources.name AS source,
    session_id
FROM persons
JOIN sessions ON person_id = persons.id
JOIN sources ON sources.id = source_id
CROSS JOIN LATERAL session_end_reason(
    source_id, login_at, logout_at, last_activity_at, next_due_at, $4::timestamptz, $5::bigint
)
CROSS JOIN LATERAL restart_after(source_id, login_at, last_activity_at)
WHERE normalized_user = $1 AND last_activity_at >= $2 AND coalesce(login_at, last_activity_at) < $3
ORDER BY coalesce(login_at, last_activity_at), session_id
