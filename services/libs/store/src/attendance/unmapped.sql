-- Returns the persons that have a session on a reporting day on which they have no employee.
--
-- $1 to $4: reporting days as date, calendar, start and end. Persons without an employee have the
-- default calendar, which is null.
-- $5: IDs of the selected persons, or null for all.
WITH days AS (
    SELECT * FROM unnest($1::date[], $2::text[], $3::timestamptz[], $4::timestamptz[])
        AS given (date, calendar, start_at, end_at)
    WHERE calendar IS NULL
),
found AS (
    SELECT DISTINCT person_id
    FROM days
    JOIN sessions ON login_at >= start_at AND login_at < end_at
    WHERE ($5::integer[] IS NULL OR person_id = ANY ($5))
        AND NOT EXISTS (
            SELECT FROM employee_mappings AS mapping
            WHERE mapping.person_id = sessions.person_id AND date BETWEEN valid_from AND valid_to
        )
)
SELECT display_user AS "user", display_realm AS realm
FROM found
JOIN persons ON persons.id = person_id
ORDER BY normalized_user, normalized_realm
