-- Returns statistics of all sources together. `silent` counts the enabled sources that have sent
-- nothing for longer than $1 seconds.
SELECT count(*) FILTER (WHERE disabled_at IS NULL) AS enabled,
    count(*) FILTER (WHERE disabled_at IS NULL
        AND coalesce(last_received_at, created_at) < now() - $1 * interval '1 second') AS silent,
    coalesce(sum(events), 0)::bigint AS events,
    coalesce(sum(clock_skewed), 0)::bigint AS clock_skewed,
    (SELECT count(*) FROM set_aside_events) AS set_aside
FROM sources
