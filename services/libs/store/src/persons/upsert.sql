-- Adds persons, and replaces display forms by greater ones. Returns all given persons. The rows are
-- locked in the order of the names, so that callers at the same time do not deadlock.
INSERT INTO persons AS stored (
    normalized_user, normalized_realm, reported_on, display_user, display_realm
)
SELECT * FROM unnest($1::text[], $2::text[], $3::date[], $4::text[], $5::text[])
    AS given (normalized_user, normalized_realm, reported_on, display_user, display_realm)
ORDER BY normalized_user COLLATE "C", normalized_realm COLLATE "C"
ON CONFLICT (normalized_user, normalized_realm) DO UPDATE
SET (reported_on, display_user, display_realm) = (
    SELECT reported_on, display_user, display_realm
    FROM (VALUES
        (stored.reported_on, stored.display_user, stored.display_realm),
        (excluded.reported_on, excluded.display_user, excluded.display_realm)
    ) AS form (reported_on, display_user, display_realm)
    ORDER BY reported_on DESC, display_user COLLATE "C" DESC, display_realm COLLATE "C" DESC
    LIMIT 1
)
RETURNING id, normalized_user, normalized_realm, reported_on, display_user, display_realm
