-- Creates :persons persons, each mapped to an employee, with two sessions on each day from
-- :first_day to :last_day. Day 0 is 17 May 2024. The measured reports cover June 2024.
INSERT INTO persons (
    normalized_user, normalized_realm, reported_on, display_user, display_realm
)
SELECT 'user' || person, 'default', '2024-05-17', 'User' || person, 'Default'
FROM generate_series(0, :persons - 1) AS person
ON CONFLICT DO NOTHING;
INSERT INTO employee_mappings (person_id, employee_id) SELECT id, 'E-' || id FROM persons
ON CONFLICT DO NOTHING;

-- The index by person is built afterwards: its entries would be inserted in random order.
SELECT pg_get_indexdef('sessions_by_person'::regclass) AS index_by_person \gset
DROP INDEX sessions_by_person;

-- The rows are inserted in the order of their days, as if they had been reported then.
INSERT INTO sessions (
    source_id, session_id, person_id, names_realm, named_at, login_at, logout_at, last_activity_at,
    first_event_at
)
SELECT
    (SELECT min(id) FROM sources), day || '-' || half || '-' || persons.id, persons.id, false,
    login_at, login_at, logout_at, logout_at, login_at
FROM generate_series(:first_day, :last_day) AS day
CROSS JOIN generate_series(0, 1) AS half
CROSS JOIN persons
CROSS JOIN LATERAL (
    SELECT timestamptz '2024-05-17 08:00Z' + day * interval '1 day' + half * interval '5 hours'
        + persons.id % 3600 * interval '1 second' AS login_at
) AS logins
CROSS JOIN LATERAL (SELECT login_at + interval '4 hours' AS logout_at) AS logouts;

:index_by_person;
VACUUM ANALYZE sessions, persons, employee_mappings;
CHECKPOINT;
