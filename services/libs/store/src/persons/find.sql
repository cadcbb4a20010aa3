-- Returns the IDs of the persons that filters select. $1: normalized users. $2: normalized realms.
-- $3: employee IDs; the person is mapped to one of them on any day. An empty array selects all.
SELECT id FROM persons
WHERE (cardinality($1::text[]) = 0 OR normalized_user = ANY ($1))
    AND (cardinality($2::text[]) = 0 OR normalized_realm = ANY ($2))
    AND (cardinality($3::text[]) = 0 OR EXISTS (
        SELECT FROM employee_mappings WHERE person_id = persons.id AND employee_id = ANY ($3)
    ))
