-- Records new events. Fails with unique_violation, and records nothing, if one of them is known.
WITH given AS (
    SELECT * FROM unnest(
        $1::integer[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::timestamptz[], $9::timestamptz[], $10::boolean[], $11::text[], $12::text[],
        $13::text[], $14::text[], $15::text[], $16::text[], $17::bigint[], $18::bigint[],
        $19::bigint[], $20::text[], $21::text[], $22::timestamptz[], $23::text[],
        $24::text[], $25::text[]
    ) AS given (
        source_id, event_id, digest, kind, session_id, user_name, realm,
        occurred_at, complete_through, clock_skewed, reason, display_name,
        client_ip, wan_ip, mac, device, active_seconds, duration_seconds, next_in_seconds, class,
        correlation_key, last_activity_at, reported_user, reported_realm, receiver
    )
),
-- The event IDs, which are unique over all partitions of events.
identified AS (
    INSERT INTO event_ids (source_id, event_id, digest)
    SELECT source_id, event_id, digest FROM given
),
-- Adds a row for each source, from which its statistics are summed up.
counted AS (
    INSERT INTO arrivals (source_id, events, clock_skewed, last_event_at)
    SELECT source_id, count(*), count(*) FILTER (WHERE clock_skewed), max(occurred_at)
    FROM given GROUP BY source_id
)
INSERT INTO events (
    source_id, event_id, kind, session_id, user_name, realm, occurred_at, complete_through,
    clock_skewed, reason, display_name, client_ip, wan_ip, mac, device, active_seconds,
    duration_seconds, next_in_seconds, class, correlation_key, last_activity_at,
    reported_user, reported_realm, receiver, is_late
)
SELECT
    source_id, event_id, kind, session_id, user_name, realm, occurred_at, given.complete_through,
    given.clock_skewed, reason, display_name, client_ip, wan_ip, mac, device, active_seconds,
    duration_seconds, next_in_seconds, class, correlation_key, last_activity_at,
    reported_user, reported_realm, receiver,
    counts_as_complete(
        created_at, sources.complete_through, assume_complete_seconds, imports_only, occurred_at)
FROM given JOIN sources ON sources.id = source_id
