-- Returns the mappings of persons. $1, $2: normalized user and realm of each person.
SELECT normalized_user, normalized_realm, employee_id, calendar,
    nullif(valid_from, '-infinity') AS valid_from, nullif(valid_to, 'infinity') AS valid_to
FROM unnest($1::text[], $2::text[]) AS given (normalized_user, normalized_realm)
JOIN persons USING (normalized_user, normalized_realm)
JOIN employee_mappings ON person_id = persons.id
