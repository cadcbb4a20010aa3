-- Sets events aside with the error of the database, so that they can be replayed.
WITH given AS (
    SELECT * FROM unnest(
        $1::integer[], $2::text[], $3::bytea[], $4::text[], $5::text[], $6::text[], $7::text[],
        $8::timestamptz[], $9::timestamptz[], $10::boolean[], $11::text[], $12::text[],
        $13::text[], $14::text[], $15::text[], $16::text[], $17::bigint[], $18::bigint[],
        $19::bigint[], $20::text[], $21::text[], $22::timestamptz[], $23::text[],
        $24::text[], $25::text[], $26::text[], $27::text[]
    ) AS given (
        source_id, event_id, digest, kind, session_id, user_name, realm,
        occurred_at, complete_through, clock_skewed, reason, display_name,
        client_ip, wan_ip, mac, device, active_seconds, duration_seconds, next_in_seconds, class,
        correlation_key, last_activity_at, reported_user, reported_realm, receiver, sqlstate,
        message
    )
),
-- The event IDs, so that a retransmission is a duplicate.
identified AS (
    INSERT INTO event_ids (source_id, event_id, digest)
    SELECT source_id, event_id, digest FROM given
)
INSERT INTO set_aside_events (
    source_id, event_id, kind, session_id, user_name, realm, occurred_at, complete_through,
    clock_skewed, reason, display_name, client_ip, wan_ip, mac, device, active_seconds,
    duration_seconds, next_in_seconds, class, correlation_key, last_activity_at,
    reported_user, reported_realm, receiver, sqlstate, message
)
SELECT
    source_id, event_id, kind, session_id, user_name, realm, occurred_at, complete_through,
    clock_skewed, reason, display_name, client_ip, wan_ip, mac, device, active_seconds,
    duration_seconds, next_in_seconds, class, correlation_key, last_activity_at,
    reported_user, reported_realm, receiver, sqlstate, message
FROM given
