-- Returns the persons of employees in the order of (employee ID, first day, user, realm).
-- $1: employee IDs, or null for all. $2, $3: only employees without a session since the first of
-- these reporting days: that day, and the bounds of the days from it to today; or null and an empty
-- array. $4: only employees after this ID, or null. $5: maximum number of employees.
WITH page AS (
    SELECT employee_id FROM employee_mappings AS mapping
    WHERE ($1::text[] IS NULL OR employee_id = ANY ($1))
        AND ($4::text IS NULL OR employee_id > $4)
    GROUP BY employee_id
    -- A session counts if its person was mapped to the employee on the day of its login.
    HAVING $2::date IS NULL OR NOT EXISTS (
        SELECT FROM employee_mappings AS own
        CROSS JOIN LATERAL (SELECT
            ($3::timestamptz[])[greatest(valid_from, $2) - $2 + 1] AS start_at,
            CASE WHEN valid_to > $2 + (cardinality($3) - 2) THEN 'infinity'
                ELSE $3[valid_to - $2 + 2]
            END AS end_at
        ) AS valid
        -- Reads one entry of sessions_by_person for each mapping. With a join the planner would
        -- read all sessions since then.
        WHERE own.employee_id = mapping.employee_id AND valid_to >= $2 AND start_at <= (
            SELECT max(login_at) FROM sessions
            WHERE sessions.person_id = own.person_id AND login_at < end_at
        )
    )
    ORDER BY employee_id
    LIMIT $5
)
SELECT
    employee_id,
    display_user AS "user",
    display_realm AS realm,
    coalesce(calendar, 'default') AS calendar,
    nullif(valid_from, '-infinity') AS valid_from,
    nullif(valid_to, 'infinity') AS valid_to
FROM page
JOIN employee_mappings AS mapping USING (employee_id)
JOIN persons ON persons.id = person_id
ORDER BY employee_id, mapping.valid_from, normalized_user, normalized_realm
