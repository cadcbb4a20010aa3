DROP TABLE source_senders, source_gaps, arrivals;
DROP FUNCTION add_up_arrivals, session_ended, expire_sessions, expire_event_month, expire_event_keys, expired_event_month, check_retention, make_event_partitions, event_month_end;
REVOKE SELECT (created_at) ON sources FROM ingestion;
ALTER TABLE sources DROP COLUMN events, DROP COLUMN clock_skewed, DROP COLUMN last_event_at, DROP COLUMN last_received_at, DROP COLUMN radius_secret;
ALTER TABLE sessions DROP COLUMN login_reckoned;

ALTER TABLE events RENAME TO events_by_month;
CREATE TABLE events (LIKE events_by_month INCLUDING DEFAULTS INCLUDING CONSTRAINTS, digest bytea);
ALTER TABLE events DROP COLUMN class, DROP COLUMN clock_skewed;
INSERT INTO events (source_id, event_id, kind, session_id, user_name, realm, occurred_at, received_at, reason, display_name,
    client_ip, wan_ip, mac, device, active_seconds, complete_through, digest)
SELECT source_id, event_id, CASE kind WHEN 'begun' THEN 'login' ELSE kind END, session_id, user_name, realm, occurred_at, events_by_month.received_at,
    reason, display_name, client_ip, wan_ip, mac, device, active_seconds, complete_through, digest
FROM events_by_month JOIN event_keys USING (source_id, event_id);
DROP TABLE events_by_month, event_keys;
ALTER TABLE events ALTER COLUMN digest SET NOT NULL, ADD PRIMARY KEY (source_id, event_id),
    ADD CONSTRAINT events_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources;
ALTER TABLE events DROP CONSTRAINT IF EXISTS events_kind_check1, DROP CONSTRAINT IF EXISTS events_kind_check;
ALTER TABLE events ADD CONSTRAINT events_kind_check CHECK (kind IN ('login', 'active', 'logout', 'restart'));
GRANT SELECT (source_id, event_id, digest), INSERT ON events TO ingestion;
GRANT SELECT ON events TO reporting;
