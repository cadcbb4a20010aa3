-- Returns sessions that begin on a reporting day while the same user is already connected
-- through another source or in another realm.
-- $1, $2: bounds of the day. $3: its date. $4: kinds to return. $5: persons of the sessions, or
-- null for all. $6: all persons with the names of these users, or null for all. $7: the present
-- time. $8: sessions whose last activity is earlier are closed by timeout. $9: only items after
-- this position, or null. $10: maximum number of items. $11: the timeout in seconds.
WITH candidates AS (
    -- Sessions of the day and of the 24 hours before.
    SELECT * FROM sessions
    WHERE login_at >= $1::timestamptz - interval '24 hours' AND login_at < $2
        AND ($6::integer[] IS NULL OR person_id = ANY ($6))
    UNION ALL
    -- Earlier sessions that reach into the day are longer than 24 hours. Reads sessions_long.
    SELECT * FROM sessions
    WHERE login_at < $1 - interval '24 hours' AND last_activity_at > $1
        AND last_activity_at - login_at >= interval '24 hours'
        AND ($6 IS NULL OR person_id = ANY ($6))
    UNION ALL
    -- Earlier sessions that are open last until now. Reads sessions_not_logged_out.
    SELECT * FROM sessions
    WHERE login_at < $1 - interval '24 hours' AND last_activity_at <= $1
        AND last_activity_at >= $8 AND (logout_at IS NULL OR logout_at < last_activity_at)
        AND ($6 IS NULL OR person_id = ANY ($6))
),
running AS (
    SELECT
        candidates.source_id, session_id, person_id, normalized_user, login_at, until_at,
        -- The latest end of the earlier sessions of the user.
        max(until_at) OVER (
            PARTITION BY normalized_user ORDER BY login_at, source_id, session_id COLLATE "C"
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS others_until_at
    FROM candidates
    CROSS JOIN LATERAL session_end_reason(
        source_id, login_at, logout_at, last_activity_at, next_due_at, $8::timestamptz, $11::bigint
    )
    CROSS JOIN LATERAL (
        SELECT CASE WHEN end_reason IS NULL THEN $7::timestamptz ELSE last_activity_at END
            AS until_at
    ) AS lasting
    JOIN persons ON persons.id = person_id
    WHERE until_at > greatest(login_at, $1)
),
-- Each session of the day with the earliest other session at its login, for each kind.
found AS (
    SELECT DISTINCT ON (later.source_id, later.session_id, kind)
        kind, later.person_id, later.source_id, later.session_id, later.login_at AS at,
        earlier.login_at AS other_at, earlier.source_id AS other_source_id,
        earlier.person_id AS other_person_id
    FROM running AS later
    JOIN running AS earlier ON earlier.normalized_user = later.normalized_user
        AND (earlier.login_at, earlier.source_id, earlier.session_id COLLATE "C")
            < (later.login_at, later.source_id, later.session_id COLLATE "C")
        AND earlier.until_at > later.login_at
    CROSS JOIN LATERAL (SELECT CASE
        WHEN earlier.person_id <> later.person_id THEN 'two_realms_at_once'
        WHEN earlier.source_id <> later.source_id THEN 'two_sources_at_once'
    END AS kind) AS kinds
    WHERE later.login_at >= $1 AND later.others_until_at > later.login_at
        AND kind = ANY ($4::text[]) AND ($5::integer[] IS NULL OR later.person_id = ANY ($5))
    ORDER BY
        later.source_id, later.session_id, kind, earlier.login_at, earlier.source_id,
        earlier.session_id COLLATE "C"
),
placed AS (
    SELECT
        ARRAY[kind, persons.normalized_user, persons.normalized_realm, sources.name, session_id]
            COLLATE "C" AS position,
        found.*,
        persons.display_user AS "user",
        persons.display_realm AS realm,
        sources.name AS source,
        CASE kind WHEN 'two_realms_at_once' THEN other_persons.display_realm
            ELSE other_sources.name END AS other
    FROM found
    JOIN sources ON sources.id = source_id
    JOIN sources AS other_sources ON other_sources.id = other_source_id
    JOIN persons ON persons.id = person_id
    JOIN persons AS other_persons ON other_persons.id = other_person_id
)
SELECT
    position, kind, "user", realm, employee_id, source, source_id, session_id, at,
    NULL::bigint AS number, other, other_at
FROM placed
LEFT JOIN employee_mappings AS mapping ON mapping.person_id = placed.person_id
    AND $3::date BETWEEN valid_from AND valid_to
WHERE $9::text[] IS NULL OR position > $9
ORDER BY position
LIMIT $10
