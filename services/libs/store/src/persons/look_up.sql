-- Returns the known ones among the given persons, with their display forms.
SELECT id, normalized_user, normalized_realm, reported_on, display_user, display_realm
FROM persons
JOIN unnest($1::text[], $2::text[]) AS given (normalized_user, normalized_realm)
    USING (normalized_user, normalized_realm)
