-- Returns the open sessions in the order of (user, realm, source, session ID). $1: sessions whose
-- last activity is earlier are closed by timeout. $2: today. $3: persons, or null for all. $4 to
-- $7: only sessions after this one, or null. $8: maximum number of sessions. $9: the timeout in
-- seconds.
WITH page AS (
    -- Reads sessions_not_logged_out.
    SELECT
        sessions.*,
        coalesce(normalized_user, '') AS normalized_user,
        coalesce(normalized_realm, '') AS normalized_realm,
        display_user,
        display_realm
    FROM sessions
    CROSS JOIN LATERAL session_end_reason(
        source_id, login_at, logout_at, last_activity_at, next_due_at, $1::timestamptz, $9::bigint
    )
    LEFT JOIN persons ON persons.id = person_id
    WHERE (logout_at IS NULL OR logout_at < last_activity_at) AND last_activity_at >= $1
        AND end_reason IS NULL AND ($3::integer[] IS NULL OR person_id = ANY ($3))
        AND ($4::text IS NULL OR (coalesce(normalized_user, ''), coalesce(normalized_realm, ''),
            source_id, session_id COLLATE "C") > ($4, $5::text, $6::integer, $7::text))
    ORDER BY
        coalesce(normalized_user, ''), coalesce(normalized_realm, ''), source_id,
        session_id COLLATE "C"
    LIMIT $8
)
SELECT
    page.source_id,
    session_id,
    normalized_user,
    normalized_realm,
    display_user AS "user",
    display_realm AS realm,
    employee_id,
    sources.name AS source,
    login_at,
    last_activity_at,
    -- The address in the latest event that has one. Events of other sessions with the same
    -- correlation key do not count.
    (
        SELECT client_ip FROM events
        WHERE events.source_id = page.source_id AND client_ip IS NOT NULL
            AND coalesce(events.session_id, events.correlation_key)
                = coalesce(page.correlation_key, page.session_id)
            AND (events.correlation_key IS NULL) = (page.correlation_key IS NULL)
            AND occurred_at >= page.first_event_at
            AND (page.correlation_key IS NULL OR EXISTS (
                SELECT FROM correlated_events AS assigned
                WHERE (assigned.source_id, assigned.correlation_key, assigned.occurred_at,
                        assigned.event_id)
                    = (events.source_id, events.correlation_key, events.occurred_at,
                        events.event_id)
                    AND assigned.session_id = page.session_id
            ))
        ORDER BY occurred_at DESC, event_id COLLATE "C" DESC LIMIT 1
    ) AS client_ip
FROM page
JOIN sources ON sources.id = page.source_id
LEFT JOIN employee_mappings AS mapping ON mapping.person_id = page.person_id
    AND $2::date BETWEEN valid_from AND valid_to
ORDER BY normalized_user, normalized_realm, page.source_id, session_id COLLATE "C"
