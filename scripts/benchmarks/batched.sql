-- Records 1,000 events in one statement, one for each of 1,000 sessions of this connection.
-- scripts/bench compares batches with it.
WITH keys AS (
    INSERT INTO event_ids (source_id, event_id, digest)
    SELECT 1, gen_random_uuid()::text, sha256('event') FROM generate_series(1, 1000)
    RETURNING event_id
),
new AS (
    INSERT INTO events (source_id, event_id, kind, session_id, user_name, occurred_at, receiver)
    SELECT 1, event_id, 'login', :client_id || '-' || row_number() OVER (), 'user', now(), 'http'
    FROM keys
    RETURNING session_id, occurred_at
)
INSERT INTO sessions AS stored (
    source_id, session_id, person_id, names_realm, named_at, login_at, last_activity_at,
    first_event_at
)
SELECT 1, session_id, 1, false, occurred_at, occurred_at, occurred_at, occurred_at FROM new
ON CONFLICT (source_id, session_id) DO UPDATE SET
    login_at = LEAST(stored.login_at, excluded.login_at),
    last_activity_at = GREATEST(stored.last_activity_at, excluded.last_activity_at);
