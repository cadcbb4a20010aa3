\set session random(1, 100000)
BEGIN;
INSERT INTO events (source_id, event_id, digest, kind, session_id, user_name, occurred_at)
VALUES (1, gen_random_uuid()::text, sha256('event'), 'login', :session, 'user', now());
INSERT INTO sessions AS stored VALUES (1, :session, 'user', now(), 'user', 'Default', '-infinity', 'default', now(), NULL, now())
ON CONFLICT (source_id, session_id) DO UPDATE SET login_at = LEAST(stored.login_at, excluded.login_at),
    last_seen_at = GREATEST(stored.last_seen_at, excluded.last_seen_at);
COMMIT;
