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
        JOIN sessions ON sessions.person_id = own.person_id
        WHERE own.employee_id = mapping.employee_id AND login_at >= ($3::timestamptz[])[1]
            AND $2 + (width_bucket(login_at, $3::timestamptz[]) - 1) BETWEEN valid_from AND valid_to
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
