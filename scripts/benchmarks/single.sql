-- Records one event of one of 100,000 sessions in one transaction. These are the fewest statements
-- that store events and sessions as Rollcall does. scripts/bench compares the rate of single events
-- with the rate of this script.
\set session random(1, 100000)
BEGIN;
WITH new AS (
    INSERT INTO event_ids (source_id, event_id, digest)
    VALUES (1, gen_random_uuid()::text, sha256('event')) RETURNING event_id
)
INSERT INTO events (source_id, event_id, kind, session_id, user_name, occurred_at, receiver)
SELECT 1, event_id, 'login', :session, 'user', now(), 'http' FROM new;
INSERT INTO sessions AS stored (
    source_id, session_id, person_id, names_realm, named_at, login_at, last_activity_at,
    first_event_at
)
VALUES (1, :session, 1, false, now(), now(), now(), now())
ON CONFLICT (source_id, session_id) DO UPDATE SET
    login_at = LEAST(stored.login_at, excluded.login_at),
    last_activity_at = GREATEST(stored.last_activity_at, excluded.last_activity_at);
COMMIT;
