-- Adds the persons that no event has named yet. $1, $2: normalized user and realm of each mapping.
-- $3, $4: their display forms. The day 0001-01-01 is before any event, so that the form that the
-- first event reports replaces this one. (The drivers cannot read -infinity.)
--
-- Known persons are left out first, because a conflict would use up an ID. The rows are added in
-- the order in which ingestion adds them, so that both do not deadlock.
INSERT INTO persons (
    normalized_user, normalized_realm, reported_on, display_user, display_realm
)
SELECT DISTINCT ON (normalized_user COLLATE "C", normalized_realm COLLATE "C")
    normalized_user, normalized_realm, date '0001-01-01', display_user, display_realm
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
    AS given (normalized_user, normalized_realm, display_user, display_realm)
WHERE NOT EXISTS (
    SELECT FROM persons
    WHERE persons.normalized_user = given.normalized_user
        AND persons.normalized_realm = given.normalized_realm
)
ORDER BY normalized_user COLLATE "C", normalized_realm COLLATE "C", display_user COLLATE "C" DESC,
    display_realm COLLATE "C" DESC
ON CONFLICT DO NOTHING
