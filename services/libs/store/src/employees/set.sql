-- Stores mappings. Each replaces the one of its person with the same first day. $1, $2: normalized
-- user and realm. $3: employee ID. $4: calendar. $5, $6: first and last day, null for no bound.
INSERT INTO employee_mappings (person_id, employee_id, calendar, valid_from, valid_to)
SELECT persons.id, employee_id, calendar, coalesce(valid_from, '-infinity'),
    coalesce(valid_to, 'infinity')
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::date[], $6::date[])
    AS given (normalized_user, normalized_realm, employee_id, calendar, valid_from, valid_to)
JOIN persons USING (normalized_user, normalized_realm)
ON CONFLICT (person_id, valid_from) DO UPDATE
SET employee_id = excluded.employee_id, calendar = excluded.calendar, valid_to = excluded.valid_to
