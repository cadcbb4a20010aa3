-- Events by month of arrival, so that those past retention go month by month. An id must be unique over all months, which
-- no index of a partitioned table can say: event_keys does.
CREATE TABLE event_keys (
    -- Of sources, and no foreign key: checking one costs as much as the row, and no role may remove a source.
    source_id integer NOT NULL,
    event_id text NOT NULL CHECK (octet_length(event_id) BETWEEN 1 AND 128),
    -- SHA-256 of the content, by which a repeated event is told from a conflicting one.
    digest bytea NOT NULL,
    PRIMARY KEY (source_id, event_id)
);
INSERT INTO event_keys SELECT source_id, event_id, digest FROM events;
GRANT SELECT (source_id, event_id, digest), INSERT (source_id, event_id, digest) ON event_keys TO ingestion;

-- begun: a login reckoned from the length that a logout tells.
ALTER TABLE events DROP CONSTRAINT events_pkey, DROP CONSTRAINT events_source_id_fkey, DROP CONSTRAINT events_kind_check, DROP COLUMN digest,
    ADD CHECK (kind IN ('login', 'begun', 'active', 'logout', 'restart')),
    ADD COLUMN class text,
    -- Its time was far from its arrival.
    ADD COLUMN clock_skewed boolean NOT NULL DEFAULT false;
ALTER TABLE events RENAME TO events_so_far;
CREATE TABLE events (LIKE events_so_far INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (received_at);
GRANT INSERT ON events TO ingestion;
GRANT SELECT ON events TO reporting;
REVOKE ALL ON events_so_far FROM ingestion, reporting;

-- A partition is named for the month that it ends with: events_2026_11.
CREATE FUNCTION event_month_end(partition text) RETURNS timestamptz LANGUAGE sql STABLE SET timezone TO 'UTC'
    RETURN to_timestamp(right(partition, 7), 'YYYY_MM') + interval '1 month';

DO $$
DECLARE
    name text := to_char(now() AT TIME ZONE 'UTC', '"events_"YYYY_MM');
BEGIN
    EXECUTE format('ALTER TABLE events_so_far RENAME TO %I', name);
    EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', name, event_month_end(name));
END
$$;

-- Makes the partitions of this month and of so many after it, where they are missing. Writers go on meanwhile.
CREATE FUNCTION make_event_partitions(months integer) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO public, pg_temp SET timezone TO 'UTC' SET lock_timeout TO '2s' AS $$
DECLARE
    month timestamptz;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rollcall event partitions'));
    FOR ahead IN 0..least(months, 24) LOOP
        month := date_trunc('month', now()) + make_interval(months => ahead);
        name := to_char(month, '"events_"YYYY_MM');
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
            EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, month, event_month_end(name));
        END IF;
    END LOOP;
END
$$;
SELECT make_event_partitions(3);

-- Retention. Each call is a step: short, in a transaction of its own, and told in the audit log. Nothing younger than 31 days goes,
-- whatever is asked for.
CREATE FUNCTION check_retention(before timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF before > now() - interval '31 days' THEN
        RAISE EXCEPTION 'retention: nothing younger than 31 days is removed';
    END IF;
END
$$;

-- The oldest month of events that ended by `before`; null when there is none.
CREATE FUNCTION expired_event_month(before timestamptz) RETURNS text LANGUAGE sql STABLE RETURN (
    SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = 'events'::regclass AND event_month_end(relname) <= before ORDER BY relname LIMIT 1);

-- Removes the keys of the events in 500 blocks of that month; tells the block to go on with, or null when there is none.
CREATE FUNCTION expire_event_keys(before timestamptz, from_block bigint) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO public, pg_temp AS $$
DECLARE
    month text := expired_event_month(before);
    to_block bigint := from_block + 500;
    removed bigint;
BEGIN
    PERFORM check_retention(before);
    IF month IS NULL THEN
        RETURN NULL;
    END IF;
    EXECUTE format('DELETE FROM event_keys USING %I AS old WHERE old.ctid >= $1 AND old.ctid < $2
            AND (event_keys.source_id, event_keys.event_id) = (old.source_id, old.event_id)', month)
        USING format('(%s,0)', from_block)::tid, format('(%s,0)', to_block)::tid;
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN
        INSERT INTO audit_log (actor, action, detail)
            VALUES ('retention', 'events.remove', jsonb_build_object('before', event_month_end(month), 'events', removed));
    END IF;
    RETURN CASE WHEN to_block * current_setting('block_size')::bigint < pg_relation_size(month::regclass) THEN to_block END;
END
$$;

-- Removes that month, whose keys are gone; tells which, or null when there is none.
CREATE FUNCTION expire_event_month(before timestamptz) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO public, pg_temp SET lock_timeout TO '500ms' AS $$
DECLARE
    month text;
BEGIN
    PERFORM check_retention(before);
    PERFORM pg_advisory_xact_lock(hashtext('rollcall event partitions'));
    month := expired_event_month(before);
    IF month IS NOT NULL THEN
        EXECUTE format('ALTER TABLE events DETACH PARTITION %I', month);
        EXECUTE format('DROP TABLE %I', month);
    END IF;
    RETURN month;
END
$$;

-- Removes up to `most` sessions last seen before `before`, and tells how many.
CREATE FUNCTION expire_sessions(before timestamptz, most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO public, pg_temp AS $$
DECLARE
    removed bigint;
BEGIN
    PERFORM check_retention(before);
    DELETE FROM sessions WHERE (source_id, session_id) IN (
        SELECT source_id, session_id FROM sessions
        WHERE (login_at < before OR login_at IS NULL) AND last_seen_at < before LIMIT most FOR UPDATE SKIP LOCKED);
    GET DIAGNOSTICS removed = ROW_COUNT;
    IF removed > 0 THEN
        INSERT INTO audit_log (actor, action, detail)
            VALUES ('retention', 'sessions.remove', jsonb_build_object('before', before, 'sessions', removed));
    END IF;
    RETURN removed;
END
$$;

-- A login that is only reckoned gives way to one that is stated.
ALTER TABLE sessions ADD COLUMN login_reckoned boolean NOT NULL DEFAULT false;

-- How a session ended; null while it is open. Of the same facts as session_end.
CREATE FUNCTION session_ended(
    login_at timestamptz, logout_at timestamptz, last_seen_at timestamptz,
    last_restart_at timestamptz, stale_before timestamptz
) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
CASE
    WHEN logout_at >= last_seen_at THEN 'stated'
    WHEN last_restart_at >= last_seen_at AND last_restart_at > login_at THEN 'restart'
    WHEN last_seen_at < stale_before THEN 'inferred'
END;

-- How much each source has sent, and when. A batch adds a row to arrivals, which are added up now and then: so that no
-- two batches wait for one row.
ALTER TABLE sources
    ADD COLUMN events bigint NOT NULL DEFAULT 0,
    ADD COLUMN clock_skewed bigint NOT NULL DEFAULT 0,
    ADD COLUMN last_event_at timestamptz,
    ADD COLUMN last_received_at timestamptz,
    -- Signs and checks its RADIUS packets, and so is kept as it is.
    ADD COLUMN radius_secret text CHECK (length(radius_secret) >= 16);
UPDATE sources SET (events, last_event_at, last_received_at) =
    (SELECT count(*), max(occurred_at), max(received_at) FROM events WHERE source_id = sources.id);
CREATE TABLE arrivals (
    source_id integer NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    events bigint NOT NULL,
    clock_skewed bigint NOT NULL,
    last_event_at timestamptz NOT NULL
);
GRANT INSERT ON arrivals TO ingestion;

-- Stretches in which a source sent nothing at all.
CREATE TABLE source_gaps (
    source_id integer NOT NULL REFERENCES sources,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    PRIMARY KEY (source_id, from_at)
);

-- Adds arrivals up. A source that was silent for longer than `gap` has a gap.
CREATE FUNCTION add_up_arrivals(gap interval) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO public, pg_temp AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('rollcall arrivals'));
    WITH gone AS (
        DELETE FROM arrivals RETURNING *
    ), in_order AS (
        SELECT source_id, gone.received_at, lag(gone.received_at, 1, last_received_at) OVER (PARTITION BY source_id ORDER BY gone.received_at) AS before
        FROM gone JOIN sources ON sources.id = source_id
    ), gaps AS (
        INSERT INTO source_gaps SELECT source_id, before, received_at FROM in_order WHERE received_at - before > gap ON CONFLICT DO NOTHING
    ), sums AS (
        SELECT source_id, sum(events) AS events, sum(clock_skewed) AS clock_skewed, max(last_event_at) AS last_event_at,
            max(received_at) AS last_received_at
        FROM gone GROUP BY source_id
    )
    UPDATE sources SET events = sources.events + sums.events, clock_skewed = sources.clock_skewed + sums.clock_skewed,
        last_event_at = GREATEST(sources.last_event_at, sums.last_event_at),
        last_received_at = GREATEST(sources.last_received_at, sums.last_received_at)
    FROM sums WHERE sources.id = sums.source_id;
END
$$;

-- Which source a RADIUS packet or syslog message comes from: the narrowest network that its sender is in.
CREATE TABLE source_senders (
    network cidr PRIMARY KEY,
    source_id integer NOT NULL REFERENCES sources
);

REVOKE ALL ON FUNCTION make_event_partitions, expire_event_keys, expire_event_month, expire_sessions, add_up_arrivals FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_event_partitions, expire_event_keys, expire_event_month, expire_sessions TO ingestion;
GRANT EXECUTE ON FUNCTION add_up_arrivals TO ingestion, operator;
GRANT SELECT (created_at, events, clock_skewed, last_event_at, last_received_at, radius_secret) ON sources TO ingestion;
GRANT SELECT (events, clock_skewed, last_event_at, last_received_at) ON sources TO reporting, operator;
GRANT INSERT (radius_secret), UPDATE (radius_secret) ON sources TO operator;
GRANT SELECT ON source_gaps TO ingestion, reporting, operator;
GRANT SELECT ON source_senders TO ingestion, reporting, operator;
GRANT INSERT, DELETE ON source_senders TO operator;
