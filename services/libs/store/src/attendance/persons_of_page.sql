-- Returns the IDs of the persons whose rows are on a page, if each person has one row: those with a
-- login from $1 to $2, after this normalized user and realm ($3, $4, or null), and among these
-- persons ($5, or null for all). $6: maximum number of rows.
--
-- The planner follows the index of names and looks each person up in sessions_by_person, so that it
-- reads a page and not the whole period. If logins are few, it reads the logins instead.
SELECT id FROM persons
WHERE ($3::text IS NULL OR (normalized_user, normalized_realm) > ($3, $4::text))
    AND ($5::integer[] IS NULL OR id = ANY ($5))
    AND EXISTS (
        SELECT FROM sessions
        WHERE person_id = persons.id AND login_at >= $1 AND login_at < $2
    )
ORDER BY normalized_user, normalized_realm
LIMIT $6
