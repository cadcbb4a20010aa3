-- Returns the persons with a login on a reporting day who are mapped to no employee on that day.
-- Returns nothing while there are no mappings at all. $1, $2: bounds of the day. $3: its date.
-- $4: persons, or null for all. $5: only items after this position, or null. $6: maximum number of
-- items.
WITH found AS (
    -- Reads sessions_by_login alone.
    SELECT person_id, min(login_at) AS at, count(*) AS number FROM sessions
    WHERE login_at >= $1 AND login_at < $2 AND ($4::integer[] IS NULL OR person_id = ANY ($4))
        AND EXISTS (SELECT FROM employee_mappings)
    GROUP BY person_id
),
placed AS (
    SELECT
        ARRAY['person_without_employee', normalized_user, normalized_realm, '', '']
            COLLATE "C" AS position,
        display_user AS "user",
        display_realm AS realm,
        at,
        number
    FROM found JOIN persons ON persons.id = person_id
    WHERE NOT EXISTS (
        SELECT FROM employee_mappings AS mapping
        WHERE mapping.person_id = found.person_id AND $3::date BETWEEN valid_from AND valid_to
    )
)
SELECT
    position, position[1] AS kind, "user", realm, NULL AS employee_id, NULL AS source,
    NULL::integer AS source_id, NULL AS session_id, at, number, NULL AS other,
    NULL::timestamptz AS other_at
FROM placed
WHERE $5::text[] IS NULL OR position > $5
ORDER BY position
LIMIT $6
