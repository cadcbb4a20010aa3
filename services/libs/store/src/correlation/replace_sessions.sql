-- Adds computed sessions, and replaces those that are stored.
INSERT INTO sessions (
    source_id, correlation_key, session_id, person_id, names_realm, named_at, login_at,
    login_derived, logout_at, last_activity_at, next_due_at, active_seconds, first_event_at
)
SELECT
    source_id, correlation_key, session_id, person_id, coalesce(names_realm, false),
    coalesce(named_at, '-infinity'), login_at, login_derived, logout_at, last_activity_at,
    next_due_at, active_seconds, first_event_at
FROM unnest(
    $1::integer[], $2::text[], $3::text[], $4::integer[], $5::boolean[], $6::timestamptz[],
    $7::timestamptz[], $8::boolean[], $9::timestamptz[], $10::timestamptz[],
    $11::timestamptz[], $12::bigint[], $13::timestamptz[]
) AS given (
    source_id, correlation_key, session_id, person_id, names_realm, named_at, login_at,
    login_derived, logout_at, last_activity_at, next_due_at, active_seconds, first_event_at
)
ON CONFLICT (session_id, source_id) DO UPDATE SET
    person_id = excluded.person_id,
    names_realm = excluded.names_realm,
    named_at = excluded.named_at,
    login_at = excluded.login_at,
    login_derived = excluded.login_derived,
    logout_at = excluded.logout_at,
    last_activity_at = excluded.last_activity_at,
    next_due_at = excluded.next_due_at,
    active_seconds = excluded.active_seconds,
    first_event_at = excluded.first_event_at
