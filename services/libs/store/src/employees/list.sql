-- Returns all mappings, in display form, with no bounds as null. The calendar `default` is named.
SELECT display_user AS "user", display_realm AS realm, employee_id,
    coalesce(calendar, 'default') AS calendar,
    nullif(valid_from, '-infinity') AS valid_from, nullif(valid_to, 'infinity') AS valid_to
FROM employee_mappings JOIN persons ON persons.id = person_id
ORDER BY normalized_user, normalized_realm, employee_mappings.valid_from
