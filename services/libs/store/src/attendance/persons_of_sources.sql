-- Returns the IDs of the persons with a login through one of these sources ($1) from $2 to $3. $4:
-- only these persons, or null for all.
SELECT DISTINCT person_id AS id FROM sessions
WHERE login_at >= $2 AND login_at < $3
    AND source_id IN (SELECT sources.id FROM sources WHERE name = ANY ($1))
    AND ($4::integer[] IS NULL OR person_id = ANY ($4)) AND person_id IS NOT NULL
