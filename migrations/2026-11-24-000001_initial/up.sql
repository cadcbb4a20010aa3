-- The schema of the first release. Privileges are in grants.sql, which `migrate` runs at every
-- start.

-- API clients: the callers of the reporting API.
CREATE TABLE api_clients (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    -- Separated by spaces, as in RFC 6749.
    scope text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    -- Counts the passwords. A new password ends the sessions of the console.
    password_version integer NOT NULL DEFAULT 1
);

-- Sign-in attempts per API client and client address. Attempts that auth accepted from its password
-- cache are not counted here.
CREATE TABLE sign_in_attempts (
    -- 0 stands for all names that no API client has, so that guessed names add no rows.
    client_id bigint NOT NULL,
    -- An IPv4 address, or the /64 network of an IPv6 address.
    address cidr NOT NULL,
    -- Attempts since the last success. Each is counted before its password is checked.
    failures integer NOT NULL DEFAULT 0,
    last_failure_at timestamptz NOT NULL DEFAULT '-infinity',
    -- Attempts among `failures` whose password has not been checked yet.
    pending integer NOT NULL DEFAULT 0,
    -- Attempts within 15 minutes of window_at, for the limit over all addresses of a client.
    window_failures integer NOT NULL DEFAULT 0,
    window_at timestamptz NOT NULL DEFAULT '-infinity',
    -- Null: this client has never signed in from this address. Renewed at most every 15 minutes.
    last_success_at timestamptz,
    PRIMARY KEY (client_id, address)
);

-- Returns the end of the lock of an address. Every fifth failure locks the address. The first lock
-- lasts 60 s, each further one twice as long, up to 15 minutes.
CREATE FUNCTION sign_in_locked_until(failures integer, last_failure_at timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE RETURN
    CASE WHEN failures > 0 AND failures % 5 = 0
        THEN last_failure_at + least(60 * 2 ^ least(failures / 5 - 1, 4), 900) * interval '1 second'
        ELSE '-infinity'::timestamptz
    END;

-- Returns the time at which the failures of an address are forgotten, which is after 15 minutes
-- without an attempt or a lock.
CREATE FUNCTION sign_in_quiet_at(failures integer, last_failure_at timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE RETURN
    greatest(last_failure_at, sign_in_locked_until(failures, last_failure_at))
    + interval '15 minutes';

-- Returns the time until which a client is closed to new addresses, or null if it is open. A new
-- address is one from which the client has never signed in. 50 failures from new addresses within
-- 15 minutes close the client.
CREATE FUNCTION sign_in_closed_until(client bigint, at timestamptz)
RETURNS timestamptz LANGUAGE sql STABLE RETURN (
    SELECT max(window_at) + interval '15 minutes' FROM sign_in_attempts
    WHERE client_id = client AND client <> 0 AND last_success_at IS NULL
        AND window_at > at - interval '15 minutes'
    HAVING sum(window_failures) >= 50);

-- Sources: the gateways and imports that report sessions.
CREATE TABLE sources (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    -- SHA-256 of the source key.
    key_hash bytea NOT NULL UNIQUE,
    -- The RADIUS shared secret. It is needed in clear to check and answer packets, so it cannot be
    -- stored as a hash.
    radius_secret text CHECK (length(radius_secret) >= 16),
    -- True if Accounting-Requests without a Message-Authenticator are dropped.
    require_message_authenticator boolean NOT NULL DEFAULT false,
    -- SHA-256 fingerprint of the client certificate that the source must present for syslog over
    -- TLS. If it is set, syslog over UDP and plain TCP is rejected.
    client_certificate bytea CHECK (octet_length(client_certificate) = 32),
    -- Time zone of times without an offset, an IANA name. Null: the reporting time zone.
    time_zone text,
    -- Seconds between two interim updates of RADIUS, which the packets do not tell. Null: unknown.
    interim_seconds integer CHECK (interim_seconds > 0),
    -- The source counts as complete through this many seconds before the present. Null: it states
    -- itself through when it is complete.
    assume_complete_seconds integer CHECK (assume_complete_seconds > 0),
    -- True if all events of the source are imported. It does not count for completeness.
    imports_only boolean NOT NULL DEFAULT false,
    -- Rules that turn the names in events into user and realm, in their order, each as a text.
    name_rules jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(name_rules) = 'array'),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    -- The source states that it has reported everything up to this instant.
    complete_through timestamptz,
    -- Statistics, summed up from `arrivals` by the service `maintenance`.
    events bigint NOT NULL DEFAULT 0,
    clock_skewed bigint NOT NULL DEFAULT 0,
    last_event_at timestamptz,
    last_received_at timestamptz
-- Leave room in each page, so that an update of the statistics writes no index entries.
) WITH (fillfactor = 50);

-- Returns true if a source already counts as complete through an instant. The first parameters are
-- columns of `sources`. This is the rule of rollcall_attendance::completeness.
CREATE FUNCTION counts_as_complete(
    created_at timestamptz, complete_through timestamptz, assume_complete_seconds integer,
    imports_only boolean, at timestamptz
) RETURNS boolean LANGUAGE sql STABLE RETURN
    NOT imports_only AND at >= created_at AND coalesce(
        at <= greatest(complete_through, now() - assume_complete_seconds * interval '1 second'),
        false);

-- Source networks. The source of a RADIUS packet or syslog message is the one with the narrowest
-- network that contains the address of the packet or connection.
CREATE TABLE source_networks (
    network cidr PRIMARY KEY,
    source_id integer NOT NULL REFERENCES sources
);
CREATE INDEX source_networks_by_source ON source_networks (source_id);

-- Restarts of the sources. They are rare. Retention keeps them, because they decide how sessions
-- ended that outlive their events.
CREATE TABLE source_restarts (
    source_id integer NOT NULL REFERENCES sources,
    restarted_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, restarted_at)
);

-- Intervals in which a source sent nothing at all.
CREATE TABLE source_gaps (
    source_id integer NOT NULL REFERENCES sources,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, from_at)
);

-- Each batch adds one row for each of its sources. The service `maintenance` sums the rows up, so
-- that batches do not wait for each other's lock on a row of `sources`.
CREATE TABLE arrivals (
    source_id integer NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    events bigint NOT NULL,
    clock_skewed bigint NOT NULL,
    last_event_at timestamptz NOT NULL
);
-- The latest event of a source, which session_end_reason needs.
CREATE INDEX arrivals_by_source ON arrivals (source_id, last_event_at);

-- Event IDs, unique over all months. A unique index of the partitioned table `events` would have to
-- contain its partition key. The event ID comes first in the index, because it differs between
-- nearly all rows and most rows have the same source.
CREATE TABLE event_ids (
    -- References sources without a foreign key: checking one costs as much as writing the row, and
    -- no role can delete a source.
    source_id integer NOT NULL,
    event_id text NOT NULL CHECK (octet_length(event_id) BETWEEN 1 AND 128),
    -- SHA-256 of the content, which distinguishes a duplicate from a conflict.
    digest bytea NOT NULL,
    PRIMARY KEY (event_id, source_id)
);

-- The events as reported, partitioned by month of arrival. Events are never changed. Only retention
-- and undoing an import remove events.
CREATE TABLE events (
    source_id integer NOT NULL,
    event_id text NOT NULL CHECK (octet_length(event_id) BETWEEN 1 AND 128),
    -- `derived_login` is a derived login, computed from the session duration in a logout.
    kind text NOT NULL CHECK (kind IN ('login', 'derived_login', 'active', 'logout', 'restart')),
    -- An event names its session by the session ID or by a correlation key. A restart has neither,
    -- because it concerns the source and not a single session.
    session_id text,
    correlation_key text,
    -- Many gateways name the user in the login alone.
    user_name text,
    realm text,
    -- The names as reported. Both are null unless name rules of the source changed a name.
    reported_user text,
    reported_realm text,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    reason text,
    display_name text,
    client_ip text,
    wan_ip text,
    mac text,
    device text,
    active_seconds bigint,
    duration_seconds bigint,
    next_in_seconds bigint,
    last_activity_at timestamptz,
    complete_through timestamptz,
    class text,
    -- The reported time was far from the time of arrival.
    clock_skewed boolean NOT NULL DEFAULT false,
    -- The receiver that brought the event: `http`, `radius`, `syslog` or `import`.
    receiver text NOT NULL,
    -- The source already counted as complete through occurred_at when the event arrived.
    is_late boolean NOT NULL DEFAULT false,
    CHECK (num_nonnulls(session_id, correlation_key) = (kind <> 'restart')::integer),
    CHECK (CASE
        WHEN kind = 'restart' THEN user_name IS NULL
        WHEN kind = 'login' THEN user_name IS NOT NULL
        ELSE true
    END)
) PARTITION BY RANGE (received_at);
-- Finds the events of a session in all months. Without it, the events of one session would cost a
-- scan of every month. The index adds about 90 bytes of WAL to each event, a fifth of what the
-- event and its ID cost. Restarts are in it with null.
CREATE INDEX events_by_session ON events (coalesce(session_id, correlation_key));
-- Finds what a person should look at. Most events are in neither.
CREATE INDEX events_in_doubt ON events (occurred_at) WHERE clock_skewed OR is_late;

-- Events that the database refused for an unknown reason. Their keys are in event_ids. The table
-- has no checks, so that it can keep events that violate those of `events`.
CREATE TABLE set_aside_events (
    LIKE events INCLUDING DEFAULTS,
    -- The error with which the database refused the event.
    sqlstate text NOT NULL,
    message text NOT NULL,
    PRIMARY KEY (event_id, source_id)
);
CREATE INDEX set_aside_events_by_source ON set_aside_events (source_id);

-- Input that receivers rejected, summed up by reason. The source 0 stands for all addresses that
-- are in no source network. Ingestion keeps at most 50 reasons for each source and sums up further
-- ones under `other reasons`.
CREATE TABLE rejected_inputs (
    -- References sources without a foreign key, because of the source 0.
    source_id integer NOT NULL,
    receiver text NOT NULL,
    -- Without values of the input, so that there are few reasons.
    reason text NOT NULL CHECK (octet_length(reason) <= 512),
    count bigint NOT NULL,
    first_at timestamptz NOT NULL DEFAULT now(),
    last_at timestamptz NOT NULL DEFAULT now(),
    -- The beginning of the latest such input. Empty if the reason concerns no single input.
    sample text NOT NULL CHECK (octet_length(sample) <= 256),
    PRIMARY KEY (source_id, receiver, reason)
);

-- Removes the rejected input of a source, or of all if none is given. The policies of the table
-- would let the operator delete only rows past their retention limit. Returns the number of rows.
CREATE FUNCTION forget_rejected_inputs(source integer) RETURNS bigint LANGUAGE sql
SECURITY DEFINER SET search_path TO public, pg_temp
BEGIN ATOMIC
    WITH forgotten AS (
        DELETE FROM rejected_inputs WHERE source_id = source OR source IS NULL RETURNING 1
    )
    SELECT count(*) FROM forgotten;
END;

-- Persons: pairs of a user and a realm. A person is added with the first event that names it, and
-- is never removed, so that ingestion may keep the IDs in memory.
CREATE TABLE persons (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Names are normalized by rollcall_attendance::name::normalize and compared by code point.
    normalized_user text COLLATE "C" NOT NULL,
    normalized_realm text COLLATE "C" NOT NULL,
    -- Display form: the greatest reported form by (UTC date of the event, user, realm).
    reported_on date NOT NULL,
    display_user text COLLATE "C" NOT NULL,
    display_realm text COLLATE "C" NOT NULL,
    UNIQUE (normalized_user, normalized_realm)
);

-- Returns the person whose names are greater. It is volatile so that it sees persons that were
-- committed after the calling statement began. A subquery would not see them, and the merge of
-- sessions would then depend on the order of arrival.
CREATE FUNCTION greater_person(a integer, b integer) RETURNS integer LANGUAGE sql VOLATILE
RETURN (
    SELECT id FROM persons WHERE id IN (a, b)
    ORDER BY normalized_user DESC, normalized_realm DESC LIMIT 1
);

-- Calendars beside `default`, whose time zone and start of day come from the settings.
CREATE TABLE calendars (
    name text PRIMARY KEY
        CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,62}$' AND name NOT IN ('default', 'assigned')),
    -- IANA name.
    time_zone text NOT NULL,
    start_of_day time(0) NOT NULL CHECK (start_of_day < '24:00')
);

-- The employees of persons, with the reporting days on which they are valid. The mappings of a
-- person do not overlap.
CREATE TABLE employee_mappings (
    person_id integer NOT NULL REFERENCES persons,
    employee_id text COLLATE "C" NOT NULL CHECK (octet_length(employee_id) BETWEEN 1 AND 128),
    -- Null: the calendar `default`.
    calendar text REFERENCES calendars,
    -- First day, included.
    valid_from date NOT NULL DEFAULT '-infinity',
    -- Last day, included.
    valid_to date NOT NULL DEFAULT 'infinity' CHECK (valid_to >= valid_from),
    PRIMARY KEY (person_id, valid_from)
);
CREATE INDEX employee_mappings_by_employee ON employee_mappings (employee_id, valid_from);

-- Sessions: the merge of their events, which does not depend on the order of arrival.
CREATE TABLE sessions (
    -- References sources and persons without a foreign key, as in event_ids.
    source_id integer NOT NULL,
    session_id text NOT NULL,
    -- Null if the gateway gave the session ID. Otherwise the session ID is made of this key: see
    -- correlated_events.
    correlation_key text,
    -- Null until an event names the user.
    person_id integer,
    -- The event that named the person: whether it names a realm, and its time. False and -infinity
    -- before that.
    names_realm boolean NOT NULL,
    named_at timestamptz NOT NULL,
    login_at timestamptz,
    -- True for a derived login. A reported login takes precedence.
    login_derived boolean NOT NULL DEFAULT false,
    logout_at timestamptz,
    last_activity_at timestamptz NOT NULL,
    -- Twice the time after the latest event in which that event announced the next one.
    next_due_at timestamptz,
    -- The greatest active time that an event gives. Null if no event gives one.
    active_seconds bigint,
    -- Time of the earliest event. A session without a login begins then.
    first_event_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, source_id)
);
-- Reports of all persons read this index alone.
CREATE INDEX sessions_by_login ON sessions (login_at)
    INCLUDE (person_id, source_id, logout_at, last_activity_at, next_due_at, active_seconds);
CREATE INDEX sessions_by_person ON sessions (person_id, login_at);
-- Long sessions, for reports in which a session counts in every day that it touches. Such a report
-- finds shorter sessions by their login. The index has few rows, so that few events write to it.
CREATE INDEX sessions_long ON sessions (last_activity_at)
    WHERE last_activity_at - login_at >= interval '24 hours';
CREATE INDEX sessions_without_login ON sessions (first_event_at) WHERE login_at IS NULL;
-- Finds the sessions that are open. A session in this index may be closed by restart or timeout.
CREATE INDEX sessions_not_logged_out ON sessions (last_activity_at)
    WHERE logout_at IS NULL OR logout_at < last_activity_at;

-- Events with a correlation key and the sessions that they belong to. A late event changes the
-- sessions of earlier ones, so ingestion computes the neighbouring sessions of the key again
-- (rollcall_attendance::correlation). The primary key finds the events by their time. An index of
-- `events` could not, because it would have to span the months of arrival.
CREATE TABLE correlated_events (
    source_id integer NOT NULL,
    correlation_key text NOT NULL,
    occurred_at timestamptz NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('login', 'active', 'logout')),
    -- The login that the duration in a logout gives.
    derived_login_at timestamptz,
    next_due_at timestamptz,
    active_seconds bigint,
    -- Null if the event names no user.
    person_id integer,
    names_realm boolean,
    session_id text NOT NULL,
    PRIMARY KEY (source_id, correlation_key, occurred_at, event_id)
);

-- Removes sessions to which no event belongs after their events were assigned to other sessions.
-- The role `ingestion` cannot delete sessions itself. An event at the last activity of a session
-- belongs to the session, unless it was assigned to another one.
CREATE FUNCTION remove_abandoned_sessions(source_ids integer[], keys text[], session_ids text[])
RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path TO public, pg_temp
BEGIN ATOMIC
    DELETE FROM sessions
    USING unnest(source_ids, keys, session_ids) AS given (source_id, correlation_key, session_id)
    WHERE (sessions.session_id, sessions.source_id) = (given.session_id, given.source_id)
        AND sessions.correlation_key = given.correlation_key
        AND NOT EXISTS (
            SELECT FROM correlated_events AS event
            WHERE (event.source_id, event.correlation_key, event.occurred_at)
                = (given.source_id, given.correlation_key, sessions.last_activity_at)
                AND event.session_id = given.session_id
        );
END;

-- Returns the first restart of the source after the last activity of a session, or null.
CREATE FUNCTION restart_after(
    source_id integer, login_at timestamptz, last_activity_at timestamptz
) RETURNS TABLE (restarted_at timestamptz) LANGUAGE sql STABLE ROWS 1
AS $$
    SELECT min(source_restarts.restarted_at) FROM source_restarts
    WHERE source_restarts.source_id = restart_after.source_id
        AND source_restarts.restarted_at >= last_activity_at
        AND source_restarts.restarted_at > login_at
$$;

-- Returns the reason why a session has ended, or null while it is open. A session ends at its last
-- activity. This is the only definition of the end; nothing about it is stored, because it depends
-- on the restarts of the source and on the present time.
--
-- A session whose last activity is before timeout_before is closed by timeout. If the latest event
-- announced the next one, next_due_at closes the session earlier, but only after the source has
-- reported a later event: an outage must not read as a departure.
--
-- A restart closes the sessions that are open at that time. After timeout_seconds of silence or
-- after next_due_at it changes nothing, so that a session keeps its end reason.
CREATE FUNCTION session_end_reason(
    source_id integer, login_at timestamptz, logout_at timestamptz, last_activity_at timestamptz,
    next_due_at timestamptz, timeout_before timestamptz, timeout_seconds bigint
) RETURNS TABLE (end_reason text) LANGUAGE sql STABLE ROWS 1
AS $$
    SELECT CASE
        WHEN logout_at >= last_activity_at THEN 'logout'
        WHEN (
            SELECT restarted_at FROM restart_after(
                session_end_reason.source_id, session_end_reason.login_at,
                session_end_reason.last_activity_at)
        ) <= least(last_activity_at + timeout_seconds * interval '1 second', next_due_at)
            THEN 'restart'
        WHEN last_activity_at < timeout_before THEN 'timeout'
        WHEN next_due_at IS NOT NULL AND EXISTS (
            SELECT FROM sources
            WHERE sources.id = session_end_reason.source_id AND last_event_at > next_due_at
            UNION ALL
            SELECT FROM arrivals
            WHERE arrivals.source_id = session_end_reason.source_id AND last_event_at > next_due_at
        ) THEN 'timeout'
    END
$$;

-- The audit log records who did what. It is partitioned by month like the events. Entries are
-- ordered by (at, id).
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL DEFAULT now(),
    -- The database role that wrote the entry. A role cannot set this column itself.
    role text NOT NULL DEFAULT session_user,
    -- An API client or the operator.
    actor text NOT NULL,
    action text NOT NULL,
    detail jsonb NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX audit_log_by_time ON audit_log (at, id);

-- The replicas of the services. Each that uses the database writes its row every 10 seconds.
-- Ingestion writes the rows of the datagram receivers, which send their heartbeats to ingestion.
CREATE TABLE heartbeats (
    -- The database role of the service, or `receiver`.
    service text NOT NULL,
    -- Host name of the container.
    replica text NOT NULL CHECK (octet_length(replica) <= 256),
    version text NOT NULL CHECK (octet_length(version) <= 64),
    started_at timestamptz NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    -- Message of the health check of the service. Empty if the service is healthy.
    missing text NOT NULL CHECK (octet_length(missing) <= 4096),
    PRIMARY KEY (service, replica)
) WITH (fillfactor = 50);

-- Writes the heartbeat of a replica of a service, and removes those of its replicas that have been
-- silent for an hour. No role may call this function: the two below say for which service.
CREATE FUNCTION write_heartbeat_of(
    of_service text, of_replica text, of_version text, its_start timestamptz, is_missing text
) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    INSERT INTO heartbeats (service, replica, version, started_at, missing)
    VALUES (of_service, of_replica, of_version, its_start, is_missing)
    ON CONFLICT (service, replica) DO UPDATE SET version = excluded.version,
        started_at = excluded.started_at, at = now(), missing = excluded.missing;
    DELETE FROM heartbeats WHERE service = of_service AND at < now() - interval '1 hour';
END;

-- Writes the heartbeat of a replica of the calling service.
CREATE FUNCTION write_heartbeat(
    of_replica text, of_version text, its_start timestamptz, is_missing text
) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path TO public, pg_temp
BEGIN ATOMIC
    SELECT write_heartbeat_of(session_user, of_replica, of_version, its_start, is_missing);
END;

-- Writes the heartbeat of a datagram receiver.
CREATE FUNCTION write_receiver_heartbeat(
    of_replica text, of_version text, its_start timestamptz, is_missing text
) RETURNS void LANGUAGE sql
SECURITY DEFINER SET search_path TO public, pg_temp
BEGIN ATOMIC
    SELECT write_heartbeat_of('receiver', of_replica, of_version, its_start, is_missing);
END;

-- Partitions of `events` and `audit_log`, one for each month (UTC), named after their table and
-- month: partitions.events_2026_11. The role `maintenance` may create tables in this schema and
-- nowhere else. `migrate` and the service `maintenance` create them, so this file creates none.
CREATE SCHEMA partitions;

-- Retention limits. Only the owner can write them: `migrate` copies the settings [retention] into
-- this table at every start. A missing row means that nothing is removed.
CREATE TABLE retention_limits (
    -- The limit of `events` also applies to set_aside_events and rejected_inputs.
    data text PRIMARY KEY CHECK (data IN ('events', 'sessions', 'audit_log')),
    -- 0: kept forever.
    days integer NOT NULL CHECK (days = 0 OR days >= 32)
);

-- Data older than `before` is past its retention limit. Data younger than 31 days never is,
-- whatever the limits are.
CREATE VIEW retention_cutoffs AS
    SELECT data, now() - greatest(days, 31) * interval '24 hours' AS before
    FROM retention_limits WHERE days > 0;

-- Row-level security limits what a role with the privilege DELETE can remove from these tables to
-- rows past their retention limit. It does not limit reading and writing.
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON sessions FOR SELECT USING (true);
CREATE POLICY add ON sessions FOR INSERT WITH CHECK (true);
CREATE POLICY change ON sessions FOR UPDATE USING (true);
CREATE POLICY remove_expired ON sessions FOR DELETE USING (
    -- A session has its last activity at or after its login. The condition on login_at uses the
    -- index.
    (login_at IS NULL OR login_at < (SELECT before FROM retention_cutoffs WHERE data = 'sessions'))
    AND last_activity_at < (SELECT before FROM retention_cutoffs WHERE data = 'sessions'));
ALTER TABLE correlated_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON correlated_events FOR SELECT USING (true);
CREATE POLICY add ON correlated_events FOR INSERT WITH CHECK (true);
CREATE POLICY change ON correlated_events FOR UPDATE USING (true);
CREATE POLICY remove_expired ON correlated_events FOR DELETE USING (
    occurred_at < (SELECT before FROM retention_cutoffs WHERE data = 'events'));
ALTER TABLE set_aside_events ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON set_aside_events FOR SELECT USING (true);
CREATE POLICY add ON set_aside_events FOR INSERT WITH CHECK (true);
CREATE POLICY remove_expired ON set_aside_events FOR DELETE USING (
    received_at < (SELECT before FROM retention_cutoffs WHERE data = 'events'));

ALTER TABLE rejected_inputs ENABLE ROW LEVEL SECURITY;
CREATE POLICY read ON rejected_inputs FOR SELECT USING (true);
CREATE POLICY add ON rejected_inputs FOR INSERT WITH CHECK (true);
CREATE POLICY change ON rejected_inputs FOR UPDATE USING (true);
CREATE POLICY remove_expired ON rejected_inputs FOR DELETE USING (
    last_at < (SELECT before FROM retention_cutoffs WHERE data = 'events'));

-- Moves an event that was set aside to `events`. The event keeps its original time of arrival. The
-- role `ingestion` cannot set that time itself. Returns false if the event is not set aside.
CREATE FUNCTION replay_event(source integer, id text) RETURNS boolean LANGUAGE sql SECURITY DEFINER
    SET search_path TO public, pg_temp
BEGIN ATOMIC
    WITH replayed AS (
        DELETE FROM set_aside_events WHERE (event_id, source_id) = (id, source) RETURNING *
    ), arrived AS (
        INSERT INTO arrivals (source_id, received_at, events, clock_skewed, last_event_at)
        SELECT source_id, received_at, 1, clock_skewed::integer, occurred_at FROM replayed
    ), noted AS (
        INSERT INTO audit_log (actor, action, detail)
        SELECT 'operator', 'event.replay',
            jsonb_build_object(
                'source', sources.name, 'event_id', event_id, 'received_at', received_at)
        FROM replayed JOIN sources ON sources.id = source_id
    ), recorded AS (
        INSERT INTO events (source_id, event_id, kind, session_id, user_name, realm, occurred_at,
            received_at, reason, display_name, client_ip, wan_ip, mac, device, active_seconds,
            duration_seconds, next_in_seconds, complete_through, class, clock_skewed,
            correlation_key, last_activity_at, reported_user, reported_realm, receiver, is_late)
        SELECT source_id, event_id, kind, session_id, user_name, realm, occurred_at,
            received_at, reason, display_name, client_ip, wan_ip, mac, device, active_seconds,
            duration_seconds, next_in_seconds, replayed.complete_through, class,
            replayed.clock_skewed, correlation_key, last_activity_at, reported_user,
            reported_realm, receiver,
            -- The event changes its session now and not when it arrived.
            counts_as_complete(created_at, sources.complete_through, assume_complete_seconds,
                imports_only, occurred_at)
        FROM replayed JOIN sources ON sources.id = source_id RETURNING 1
    )
    SELECT count(*) = 1 FROM recorded;
END;

-- Imports of files by the command line.
CREATE TABLE imports (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_id integer NOT NULL REFERENCES sources,
    file_name text NOT NULL,
    -- The person at the command line, as the shell states it.
    person text,
    started_at timestamptz NOT NULL DEFAULT now(),
    -- Number of different events that the import brought. If imported_events has fewer rows,
    -- retention has removed events of the import.
    events bigint NOT NULL DEFAULT 0,
    -- The result. Null while the import is running, or if it was interrupted.
    finished_at timestamptz,
    rows bigint,
    rejected_rows bigint,
    accepted_events bigint,
    duplicate_events bigint,
    undone_at timestamptz,
    withdrawn_events bigint
);

-- The events that each import brought, duplicates too. Undoing an import keeps the rows of events
-- that are not withdrawn.
CREATE TABLE imported_events (
    -- References imports without a foreign key, because no role can delete an import.
    import_id integer NOT NULL,
    source_id integer NOT NULL,
    event_id text NOT NULL,
    -- True in the row of the import that recorded the event, unless a receiver has brought the
    -- event too. An event without such a row came by a receiver first, and is never withdrawn.
    withdrawable boolean NOT NULL,
    PRIMARY KEY (event_id, source_id, import_id),
    FOREIGN KEY (event_id, source_id) REFERENCES event_ids ON DELETE CASCADE
);
CREATE INDEX imported_events_by_import ON imported_events (import_id);

-- Undoes an import. Withdraws its events, except those that a receiver or another import brought
-- too. Removes the sessions of the withdrawn events and returns the remaining events of these
-- sessions, which the caller merges into sessions again in the same transaction. Each statement
-- below sees what was committed before it began. Rows are locked in the order in which ingestion
-- locks them: event IDs, sessions, sources.
CREATE FUNCTION withdraw_import(import integer, by_person text) RETURNS SETOF events
LANGUAGE plpgsql SECURITY DEFINER SET search_path TO public, pg_temp AS $$
DECLARE
    undone imports;
    since timestamptz;
    withdrawn text[];
    changed text[];
    removed_events bigint;
    removed_skewed bigint;
BEGIN
    SELECT * INTO undone FROM imports WHERE id = import FOR UPDATE;
    IF undone.id IS NULL THEN
        RAISE EXCEPTION 'There is no import %.', import;
    ELSIF undone.undone_at IS NOT NULL THEN
        RAISE EXCEPTION 'Import % is already undone.', import;
    END IF;
    -- Receivers and other imports that bring one of these events wait from here on.
    PERFORM FROM imported_events AS own
    JOIN imported_events AS brought USING (event_id, source_id)
    JOIN event_ids USING (event_id, source_id)
    WHERE own.import_id = import
    ORDER BY event_id COLLATE "C" FOR UPDATE OF event_ids, brought;

    IF (SELECT count(*) FROM imported_events WHERE import_id = import) < undone.events THEN
        RAISE EXCEPTION 'Import % cannot be undone, because retention has removed events of it.',
            import;
    END IF;
    SELECT coalesce(array_agg(event_id), '{}') INTO withdrawn FROM (
        SELECT event_id FROM imported_events AS own
        JOIN imported_events AS brought USING (event_id, source_id)
        JOIN imports ON imports.id = brought.import_id
        WHERE own.import_id = import
        GROUP BY event_id
        HAVING bool_or(brought.withdrawable)
            AND bool_and(imports.id = import OR imports.undone_at IS NOT NULL)
    ) AS by_no_other;
    -- Excludes partitions. The session ID of an imported row is a hash, so that no event of its
    -- session can be older than the first import. A day allows for clock changes.
    SELECT min(started_at) - interval '1 day' INTO since
    FROM imports WHERE source_id = undone.source_id;

    WITH removed AS (
        DELETE FROM events USING unnest(withdrawn) AS gone (id)
        WHERE source_id = undone.source_id AND event_id = gone.id AND received_at >= since
        RETURNING session_id, clock_skewed
    )
    SELECT count(*), count(*) FILTER (WHERE clock_skewed),
        coalesce(array_agg(DISTINCT session_id) FILTER (WHERE session_id IS NOT NULL), '{}')
    INTO removed_events, removed_skewed, changed FROM removed;
    DELETE FROM set_aside_events
    WHERE source_id = undone.source_id AND event_id = ANY (withdrawn);
    DELETE FROM event_ids WHERE source_id = undone.source_id AND event_id = ANY (withdrawn);

    -- Wait for batches that add to these sessions, so that their events are among those returned.
    PERFORM FROM sessions WHERE source_id = undone.source_id AND session_id = ANY (changed)
    ORDER BY session_id COLLATE "C" FOR UPDATE;
    -- Sessions that retention has removed do not return.
    WITH removed AS (
        DELETE FROM sessions WHERE source_id = undone.source_id AND session_id = ANY (changed)
        RETURNING session_id
    )
    SELECT coalesce(array_agg(session_id), '{}') INTO changed FROM removed;

    UPDATE imports SET undone_at = now(), withdrawn_events = cardinality(withdrawn)
    WHERE id = import;
    INSERT INTO audit_log (actor, action, detail)
    SELECT 'operator', 'import.undo', jsonb_build_object(
        'import', import, 'source', name, 'file', undone.file_name,
        'withdrawn_events', cardinality(withdrawn), 'person', by_person)
    FROM sources WHERE id = undone.source_id;
    UPDATE sources SET events = sources.events - removed_events,
        clock_skewed = sources.clock_skewed - removed_skewed
    WHERE id = undone.source_id;
    RETURN QUERY SELECT * FROM events
    WHERE source_id = undone.source_id AND session_id = ANY (changed) AND received_at >= since;
END
$$;
