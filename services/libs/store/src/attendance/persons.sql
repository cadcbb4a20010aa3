-- Returns the IDs of the persons with one of these normalized users ($1), one of these normalized
-- realms ($2), a mapping to one of these employees ($3), on whatever days, and a login through one of
-- these sources ($4) from $5 to $6. Null selects all.
SELECT id FROM persons
WHERE ($1::text[] IS NULL OR normalized_user = ANY ($1))
    AND ($2::text[] IS NULL OR normalized_realm = ANY ($2))
    AND ($3::text[] IS NULL OR id IN (
        SELECT person_id FROM employee_mappings WHERE employee_id = ANY ($3)
    ))
    AND ($4::text[] IS NULL OR id IN (
        SELECT person_id FROM sessions
        WHERE login_at >= $5 AND login_at < $6
            AND source_id IN (SELECT sources.id FROM sources WHERE name = ANY ($4))
    ))
