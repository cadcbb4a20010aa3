-- Returns every source with its statistics, by name. Rows of `arrivals` that are not summed up yet
-- are included; gaps are as of the latest sum.
WITH pending AS (
    SELECT source_id, sum(events)::bigint AS events, sum(clock_skewed)::bigint AS clock_skewed,
        max(last_event_at) AS last_event_at, max(received_at) AS last_received_at
    FROM arrivals GROUP BY source_id
), gaps AS (
    -- Without gaps for which the source has reported later that it is complete.
    SELECT source_id, count(*) AS gaps, max(from_at) AS last_gap_from, max(to_at) AS last_gap_to
    FROM source_gaps JOIN sources ON sources.id = source_id
    WHERE complete_through IS NULL OR to_at > complete_through
    GROUP BY source_id
), networks AS (
    SELECT source_id, array_agg(network::text ORDER BY network) AS networks
    FROM source_networks GROUP BY source_id
), rejected AS (
    SELECT source_id, sum(count)::bigint AS rejected FROM rejected_inputs GROUP BY source_id
), set_aside AS (
    SELECT source_id, count(*) AS set_aside FROM set_aside_events GROUP BY source_id
)
SELECT name, sources.events + coalesce(pending.events, 0) AS events,
    greatest(sources.last_event_at, pending.last_event_at) AS last_event_at,
    greatest(sources.last_received_at, pending.last_received_at) AS last_received_at,
    complete_through, coalesce(gaps, 0) AS gaps, last_gap_from, last_gap_to,
    sources.clock_skewed + coalesce(pending.clock_skewed, 0) AS clock_skewed,
    coalesce(set_aside, 0) AS set_aside, coalesce(rejected, 0) AS rejected,
    (SELECT max(restarted_at) FROM source_restarts WHERE source_id = id) AS last_restart_at,
    coalesce(networks, '{}') AS networks,
    require_message_authenticator, encode(client_certificate, 'hex') AS client_certificate,
    time_zone, interim_seconds, assume_complete_seconds, imports_only, name_rules, created_at, disabled_at
FROM sources
LEFT JOIN pending ON pending.source_id = id
LEFT JOIN gaps ON gaps.source_id = id
LEFT JOIN networks ON networks.source_id = id
LEFT JOIN rejected ON rejected.source_id = id
LEFT JOIN set_aside ON set_aside.source_id = id
ORDER BY name
