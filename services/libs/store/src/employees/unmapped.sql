-- Returns the persons with a session that are mapped to no employee on the day $1, with the latest
-- login of each.
SELECT display_user AS "user", display_realm AS realm, login_at AS last_login_at
FROM persons
CROSS JOIN LATERAL (
    SELECT login_at FROM sessions
    WHERE person_id = persons.id AND login_at IS NOT NULL ORDER BY login_at DESC LIMIT 1
) AS latest
WHERE NOT EXISTS (
    SELECT FROM employee_mappings
    WHERE person_id = persons.id AND $1 BETWEEN valid_from AND valid_to
)
ORDER BY normalized_user, normalized_realm
