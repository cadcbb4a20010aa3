-- Replaces the sessions of events by recomputed ones. $1, $2, $3: sources and IDs of the sessions
-- that no longer exist. $3 and following: the recomputed sessions.
WITH removed AS (
    DELETE FROM sessions USING unnest($1::integer[], $2::text[]) AS old (source_id, session_id)
    WHERE (sessions.session_id, sessions.source_id) = (old.session_id, old.source_id)
)
INSERT INTO sessions (
    source_id, session_id, person_id, names_realm, named_at, login_at, login_derived, logout_at,
    last_activity_at
)
SELECT * FROM unnest(
    $3::integer[], $4::text[], $5::integer[], $6::boolean[], $7::timestamptz[],
    $8::timestamptz[], $9::boolean[], $10::timestamptz[], $11::timestamptz[]
)
ON CONFLICT (session_id, source_id) DO UPDATE SET
    person_id = excluded.person_id,
    names_realm = excluded.names_realm,
    named_at = excluded.named_at,
    login_at = excluded.login_at,
    login_derived = excluded.login_derived,
    logout_at = excluded.logout_at,
    last_activity_at = excluded.last_activity_at
