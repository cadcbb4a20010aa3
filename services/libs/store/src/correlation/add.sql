-- Adds events with a correlation key and their sessions.
INSERT INTO correlated_events (
    source_id, correlation_key, occurred_at, event_id, kind, derived_login_at, next_due_at,
    active_seconds, person_id, names_realm, session_id
)
SELECT * FROM unnest(
    $1::integer[], $2::text[], $3::timestamptz[], $4::text[], $5::text[], $6::timestamptz[],
    $7::timestamptz[], $8::bigint[], $9::integer[], $10::boolean[], $11::text[]
)
