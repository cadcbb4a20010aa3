-- Returns persons in the order of (user, realm), with their present employee and calendar.
-- $1: today. $2, $3: normalized users and realms; empty arrays select all. $4: employee IDs, or
-- null for all. $5: true for persons without an employee, false for persons with one, null for
-- both. $6: only persons without a login since this instant, or null. $7, $8: only persons after
-- this one, or null. $9: maximum number of persons.
WITH page AS (
    SELECT
        persons.id,
        normalized_user,
        normalized_realm,
        display_user,
        display_realm,
        employee_id,
        coalesce(calendar, 'default') AS calendar
    FROM persons
    LEFT JOIN employee_mappings AS mapping ON mapping.person_id = persons.id
        AND $1::date BETWEEN valid_from AND valid_to
    WHERE (cardinality($2::text[]) = 0 OR normalized_user = ANY ($2))
        AND (cardinality($3::text[]) = 0 OR normalized_realm = ANY ($3))
        AND ($4::text[] IS NULL OR employee_id = ANY ($4))
        AND ($5::boolean IS NULL OR (employee_id IS NULL) = $5)
        -- Reads one entry of sessions_by_person for each person. With NOT EXISTS the planner would
        -- read all sessions since then.
        AND ($6::timestamptz IS NULL OR coalesce(
            (SELECT max(login_at) FROM sessions WHERE person_id = persons.id) < $6, true
        ))
        AND ($7::text IS NULL OR (normalized_user, normalized_realm) > ($7, $8::text))
    ORDER BY normalized_user, normalized_realm
    LIMIT $9
)
SELECT
    normalized_user,
    normalized_realm,
    display_user AS "user",
    display_realm AS realm,
    employee_id,
    calendar,
    -- Each reads one entry of sessions_by_person.
    (SELECT min(login_at) FROM sessions WHERE person_id = page.id) AS first_login_at,
    (SELECT max(login_at) FROM sessions WHERE person_id = page.id) AS last_login_at
FROM page
ORDER BY normalized_user, normalized_realm
