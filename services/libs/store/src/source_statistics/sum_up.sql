-- Adds the oldest $2 rows of `arrivals` to the statistics of their sources, and removes the rows.
-- A source that had sent nothing for longer than $1 seconds gets a row in `source_gaps`.
WITH oldest AS MATERIALIZED (
    -- In the order of arrival, or a later row would make a gap of the rows before it.
    SELECT ctid AS row FROM arrivals ORDER BY received_at LIMIT $2
), arrived AS (
    DELETE FROM arrivals WHERE ctid = ANY (ARRAY(SELECT row FROM oldest)) RETURNING *
), in_order AS (
    -- A replayed event has an old time of arrival, and begins no gap.
    SELECT source_id, received_at, greatest(last_received_at,
        lag(received_at) OVER (PARTITION BY source_id ORDER BY received_at)) AS previous_at
    FROM (
        SELECT source_id, arrived.received_at, sources.last_received_at
        FROM arrived JOIN sources ON sources.id = source_id
    ) AS of_source
), gaps AS (
    INSERT INTO source_gaps (source_id, from_at, to_at)
    SELECT source_id, previous_at, received_at FROM in_order
    WHERE received_at - previous_at > $1 * interval '1 second'
    ON CONFLICT DO NOTHING
    RETURNING 1
), sums AS (
    SELECT source_id, sum(events)::bigint AS events, sum(clock_skewed)::bigint AS clock_skewed,
        max(last_event_at) AS last_event_at, max(received_at) AS last_received_at
    FROM arrived GROUP BY source_id
), updated AS (
    UPDATE sources SET
        events = sources.events + sums.events,
        clock_skewed = sources.clock_skewed + sums.clock_skewed,
        last_event_at = greatest(sources.last_event_at, sums.last_event_at),
        last_received_at = greatest(sources.last_received_at, sums.last_received_at)
    FROM sums WHERE sources.id = sums.source_id
)
SELECT (SELECT count(*) FROM arrived) AS rows, (SELECT count(*) FROM gaps) AS gaps
