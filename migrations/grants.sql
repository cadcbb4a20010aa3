-- All privileges of the roles of the services. `migrate` runs this file at every start, in one
-- transaction. The file revokes all privileges before it grants those below, so that a restored or
-- manually changed database has exactly these.
--
-- maintenance owns `events`, `audit_log` and their partitions, because PostgreSQL lets only the
-- owner of a table create and drop its partitions. The role can therefore read and drop any month.
-- The role cannot change the retention limits, delete sessions within them, or create functions,
-- which would run with the privileges of other roles.

DO $$
DECLARE
    other name;
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I
        FROM PUBLIC, auth, ingestion, reporting, console, maintenance, operator',
        current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I
        TO auth, ingestion, reporting, console, maintenance, operator', current_database());
    -- Revoke access to the server's other databases, only where needed, because concurrent updates
    -- of a shared catalog row fail.
    FOR other IN SELECT datname FROM pg_database
        WHERE datname IN ('postgres', 'template1')
            AND has_database_privilege('public', oid, 'CONNECT, TEMPORARY')
    LOOP
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', other);
    END LOOP;
    -- Only where needed, because a change of the owner waits for all statements on the table.
    FOR other IN SELECT pg_class.oid::regclass FROM pg_class
        WHERE (oid IN ('events'::regclass, 'audit_log'::regclass)
                OR relkind = 'r' AND relnamespace = 'partitions'::regnamespace)
            AND relowner <> 'maintenance'::regrole
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO maintenance', other);
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC, auth, ingestion, reporting, console, maintenance, operator;
REVOKE ALL ON ALL TABLES IN SCHEMA public
    FROM PUBLIC, auth, ingestion, reporting, console, maintenance, operator;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public
    FROM PUBLIC, auth, ingestion, reporting, console, maintenance, operator;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA public
    FROM PUBLIC, auth, ingestion, reporting, console, maintenance, operator;
REVOKE ALL ON ALL TABLES IN SCHEMA partitions
    FROM PUBLIC, auth, ingestion, reporting, console, operator;
REVOKE ALL ON SCHEMA partitions
    FROM PUBLIC, auth, ingestion, reporting, console, maintenance, operator;

-- Only the owner may create functions.
REVOKE USAGE ON LANGUAGE sql, plpgsql
    FROM PUBLIC, auth, ingestion, reporting, console, maintenance, operator;

-- Even a role without write access to tables could fill the disk with large objects or logical
-- messages.
REVOKE EXECUTE ON FUNCTION
    lo_close(integer), lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea), lo_get(oid),
    lo_get(oid, bigint, integer), lo_lseek(integer, integer, integer),
    lo_lseek64(integer, bigint, integer), lo_open(oid, integer), lo_put(oid, bigint, bytea),
    lo_tell(integer), lo_tell64(integer), lo_truncate(integer, integer),
    lo_truncate64(integer, bigint), lo_unlink(oid),
    loread(integer, integer), lowrite(integer, bytea),
    pg_logical_emit_message(boolean, text, text, boolean),
    pg_logical_emit_message(boolean, text, bytea, boolean)
FROM PUBLIC;

GRANT USAGE ON SCHEMA public TO auth, ingestion, reporting, console, maintenance, operator;
GRANT SELECT ON __diesel_schema_migrations
    TO auth, ingestion, reporting, console, maintenance, operator;

GRANT EXECUTE ON FUNCTION write_heartbeat TO auth, ingestion, reporting, console, maintenance;
GRANT EXECUTE ON FUNCTION write_receiver_heartbeat TO ingestion;

-- auth
GRANT SELECT ON api_clients TO auth;
GRANT SELECT, INSERT, UPDATE, DELETE ON sign_in_attempts TO auth;
GRANT EXECUTE ON FUNCTION sign_in_locked_until, sign_in_quiet_at, sign_in_closed_until TO auth;
GRANT INSERT (actor, action, detail) ON audit_log TO auth;

-- ingestion
GRANT SELECT (id, name, key_hash, radius_secret, require_message_authenticator, client_certificate,
    time_zone, interim_seconds, name_rules, created_at, disabled_at, complete_through,
    events, clock_skewed, last_event_at, last_received_at,
    assume_complete_seconds, imports_only) ON sources TO ingestion;
GRANT UPDATE (complete_through) ON sources TO ingestion;
GRANT SELECT, INSERT ON source_restarts TO ingestion;
GRANT SELECT ON source_networks, source_gaps TO ingestion;
-- received_at is not granted, so that the database sets it and no event can be back-dated.
GRANT INSERT (source_id, events, clock_skewed, last_event_at) ON arrivals TO ingestion;
GRANT SELECT (source_id, event_id, digest), INSERT (source_id, event_id, digest)
    ON event_ids TO ingestion;
GRANT INSERT (
    source_id, event_id, kind, session_id, correlation_key, user_name, realm, reported_user,
    reported_realm, occurred_at, reason, display_name, client_ip, wan_ip, mac, device,
    active_seconds, duration_seconds, next_in_seconds, last_activity_at, complete_through, class,
    clock_skewed, receiver, is_late
) ON events TO ingestion;
GRANT SELECT, INSERT (
    source_id, event_id, kind, session_id, correlation_key, user_name, realm, reported_user,
    reported_realm, occurred_at, reason, display_name, client_ip, wan_ip, mac, device,
    active_seconds, duration_seconds, next_in_seconds, last_activity_at, complete_through, class,
    clock_skewed, receiver, sqlstate, message
) ON set_aside_events TO ingestion;
GRANT EXECUTE ON FUNCTION replay_event, counts_as_complete TO ingestion;
GRANT SELECT (source_id, receiver, reason, count, sample),
    INSERT (source_id, receiver, reason, count, sample), UPDATE (count, last_at, sample)
    ON rejected_inputs TO ingestion;
GRANT SELECT, INSERT (source_id, file_name, person), UPDATE (
    events, finished_at, rows, rejected_rows, accepted_events, duplicate_events
) ON imports TO ingestion;
GRANT SELECT, INSERT, UPDATE (withdrawable) ON imported_events TO ingestion;
-- For imports.
GRANT INSERT (actor, action, detail) ON audit_log TO ingestion;
GRANT SELECT, INSERT, UPDATE ON sessions TO ingestion;
GRANT SELECT, INSERT, UPDATE (session_id) ON correlated_events TO ingestion;
GRANT EXECUTE ON FUNCTION remove_abandoned_sessions TO ingestion;
GRANT SELECT, INSERT (normalized_user, normalized_realm, reported_on, display_user, display_realm),
    UPDATE (reported_on, display_user, display_realm) ON persons TO ingestion;
GRANT EXECUTE ON FUNCTION greater_person TO ingestion;
GRANT EXECUTE ON FUNCTION pg_logical_emit_message(boolean, text, text, boolean) TO ingestion;

-- reporting
GRANT SELECT (
    id, name, created_at, disabled_at, complete_through, events, clock_skewed,
    last_event_at, last_received_at, time_zone, interim_seconds, name_rules,
    require_message_authenticator, client_certificate, assume_complete_seconds, imports_only
)
    ON sources TO reporting;
GRANT SELECT ON source_networks, source_gaps, source_restarts, events, persons, sessions, calendars,
    employee_mappings, arrivals, correlated_events, imports, imported_events TO reporting;
GRANT SELECT (source_id) ON set_aside_events TO reporting;
GRANT SELECT (source_id, count) ON rejected_inputs TO reporting;
GRANT EXECUTE ON FUNCTION session_end_reason, restart_after TO reporting;
GRANT INSERT (actor, action, detail) ON audit_log TO reporting;
-- The statement that writes an audit entry also checks that the API client is enabled.
GRANT SELECT (name, disabled_at) ON api_clients TO reporting;

-- console. It reads what reporting reads, and what the pages of the system show.
GRANT SELECT (
    id, name, created_at, disabled_at, complete_through, events, clock_skewed,
    last_event_at, last_received_at, time_zone, interim_seconds, name_rules,
    require_message_authenticator, client_certificate, assume_complete_seconds, imports_only
)
    ON sources TO console;
GRANT SELECT ON source_networks, source_gaps, source_restarts, events, persons, sessions, calendars,
    employee_mappings, arrivals, rejected_inputs, correlated_events, imports, imported_events
    TO console;
GRANT SELECT (source_id) ON set_aside_events TO console;
GRANT EXECUTE ON FUNCTION session_end_reason, restart_after TO console;
GRANT SELECT (id, name, scope, created_at, disabled_at, password_version)
    ON api_clients TO console;
GRANT SELECT ON heartbeats TO console;
GRANT SELECT (client_id, address, failures, last_failure_at, window_failures, window_at,
    last_success_at) ON sign_in_attempts TO console;
GRANT EXECUTE ON FUNCTION sign_in_locked_until, sign_in_closed_until TO console;
GRANT SELECT, INSERT (actor, action, detail) ON audit_log TO console;
-- The employee mapping is the only data that the console changes.
GRANT INSERT, UPDATE, DELETE ON employee_mappings TO console;
GRANT INSERT (normalized_user, normalized_realm, reported_on, display_user, display_realm)
    ON persons TO console;

-- maintenance
GRANT USAGE, CREATE ON SCHEMA partitions TO maintenance;
GRANT SELECT ON retention_cutoffs TO maintenance;
-- CREATE TABLE (LIKE ...) needs SELECT on all columns.
GRANT SELECT ON events, audit_log TO maintenance;
GRANT SELECT (source_id, event_id), DELETE ON event_ids TO maintenance;
GRANT SELECT (source_id, session_id, login_at, last_activity_at), DELETE ON sessions TO maintenance;
GRANT SELECT (source_id, event_id, received_at), DELETE ON set_aside_events TO maintenance;
GRANT SELECT (source_id, correlation_key, occurred_at, event_id, session_id), DELETE
    ON correlated_events TO maintenance;
GRANT SELECT (source_id, receiver, reason, last_at), DELETE ON rejected_inputs TO maintenance;
GRANT INSERT (actor, action, detail) ON audit_log TO maintenance;
GRANT SELECT, DELETE ON arrivals TO maintenance;
GRANT SELECT (id, name, created_at, disabled_at, events, clock_skewed, last_event_at,
    last_received_at),
    UPDATE (events, clock_skewed, last_event_at, last_received_at) ON sources TO maintenance;
GRANT SELECT (source_id, from_at), INSERT ON source_gaps TO maintenance;

-- operator
GRANT SELECT (id, name, scope, created_at, disabled_at, password_version),
    INSERT (name, password_hash, scope) ON api_clients TO operator;
GRANT UPDATE (password_hash, disabled_at, password_version) ON api_clients TO operator;
GRANT SELECT, UPDATE (failures, pending, window_failures) ON sign_in_attempts TO operator;
GRANT EXECUTE ON FUNCTION sign_in_locked_until, sign_in_closed_until TO operator;
GRANT SELECT (id, name, require_message_authenticator, client_certificate, time_zone,
    interim_seconds, name_rules, created_at, disabled_at, complete_through, events,
    clock_skewed, last_event_at, last_received_at, assume_complete_seconds, imports_only),
    INSERT (name, key_hash, radius_secret, assume_complete_seconds, imports_only)
    ON sources TO operator;
GRANT UPDATE (
    key_hash, disabled_at, radius_secret, require_message_authenticator, client_certificate,
    time_zone, interim_seconds, name_rules, complete_through, assume_complete_seconds, imports_only)
    ON sources TO operator;
GRANT SELECT (source_id) ON set_aside_events TO operator;
GRANT SELECT ON rejected_inputs TO operator;
GRANT EXECUTE ON FUNCTION forget_rejected_inputs TO operator;
GRANT SELECT, INSERT, DELETE ON source_networks TO operator;
GRANT SELECT ON source_gaps, source_restarts TO operator;
GRANT SELECT ON arrivals TO operator;
GRANT SELECT, INSERT (actor, action, detail) ON audit_log TO operator;
GRANT SELECT ON imports TO operator;
-- Undoing an import merges the remaining events of its sessions.
GRANT EXECUTE ON FUNCTION withdraw_import, greater_person TO operator;
GRANT SELECT, INSERT, UPDATE ON sessions TO operator;
GRANT SELECT ON persons TO operator;
GRANT SELECT, INSERT, UPDATE, DELETE ON calendars, employee_mappings TO operator;
-- A mapping can name a person that no event has named yet.
GRANT INSERT (normalized_user, normalized_realm, reported_on, display_user, display_realm)
    ON persons TO operator;
