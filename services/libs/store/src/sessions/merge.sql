-- Merges events into their sessions. Each given row is the merge of all events of one session in a
-- batch. This is the merge of rollcall_attendance::session::Session, and a property test compares
-- the two.
INSERT INTO sessions AS stored (
    source_id, session_id, person_id, names_realm, named_at, login_at, login_derived, logout_at,
    last_activity_at, next_due_at, active_seconds, first_event_at
)
SELECT
    source_id, session_id, person_id, coalesce(names_realm, false),
    coalesce(named_at, '-infinity'), login_at, login_derived, logout_at, last_activity_at,
    next_due_at, active_seconds, first_event_at
FROM unnest(
    $1::integer[], $2::text[], $3::integer[], $4::boolean[], $5::timestamptz[],
    $6::timestamptz[], $7::boolean[], $8::timestamptz[], $9::timestamptz[],
    $10::timestamptz[], $11::bigint[], $12::timestamptz[]
) AS given (
    source_id, session_id, person_id, names_realm, named_at, login_at, login_derived, logout_at,
    last_activity_at, next_due_at, active_seconds, first_event_at
)
-- Every expression below reads the stored values from before this statement. GREATEST ignores
-- nulls.
ON CONFLICT (source_id, session_id) DO UPDATE SET
    -- The person of the event that is the greatest by (names a realm, time, names). IDs have no
    -- order, so of two events at the same time the names decide.
    person_id = CASE
        WHEN (excluded.names_realm, excluded.named_at) > (stored.names_realm, stored.named_at)
            THEN excluded.person_id
        WHEN (excluded.names_realm, excluded.named_at) < (stored.names_realm, stored.named_at)
            OR excluded.person_id = stored.person_id
            THEN stored.person_id
        ELSE greater_person(stored.person_id, excluded.person_id)
    END,
    named_at = CASE
        WHEN excluded.names_realm > stored.names_realm THEN excluded.named_at
        WHEN excluded.names_realm < stored.names_realm THEN stored.named_at
        ELSE GREATEST(stored.named_at, excluded.named_at)
    END,
    names_realm = stored.names_realm OR excluded.names_realm,
    -- The earliest reported login, or else the earliest derived login.
    (login_at, login_derived) = (
        SELECT login_at, login_derived
        FROM (VALUES
            (stored.login_at, stored.login_derived),
            (excluded.login_at, excluded.login_derived)
        ) AS login (login_at, login_derived)
        ORDER BY login_at IS NULL, login_derived, login_at LIMIT 1
    ),
    logout_at = GREATEST(stored.logout_at, excluded.logout_at),
    -- The announcement of the latest event.
    next_due_at = CASE
        WHEN excluded.last_activity_at > stored.last_activity_at THEN excluded.next_due_at
        WHEN excluded.last_activity_at < stored.last_activity_at THEN stored.next_due_at
        ELSE GREATEST(stored.next_due_at, excluded.next_due_at)
    END,
    last_activity_at = GREATEST(stored.last_activity_at, excluded.last_activity_at),
    active_seconds = GREATEST(stored.active_seconds, excluded.active_seconds),
    first_event_at = LEAST(stored.first_event_at, excluded.first_event_at)
