-- Adds rejected input to the counts of its reasons. Reasons beyond the first $6 of a source are
-- summed up under the reason $7. The rows are written in the order of their keys, so that replicas
-- at the same time do not deadlock. Two replicas that add reasons at the same time may together
-- exceed the limit once.
WITH given AS (
    SELECT * FROM unnest($1::integer[], $2::text[], $3::text[], $4::bigint[], $5::text[])
        AS given (source_id, receiver, reason, count, sample)
), recorded AS (
    SELECT source_id, receiver, reason FROM rejected_inputs WHERE source_id = ANY ($1)
), reasons AS (
    SELECT source_id, count(*) AS reasons FROM recorded WHERE reason <> $7 GROUP BY source_id
), numbered AS (
    SELECT given.*, recorded.source_id IS NOT NULL AS is_recorded,
        count(*) FILTER (WHERE recorded.source_id IS NULL) OVER (
            PARTITION BY given.source_id ORDER BY given.count DESC, receiver, reason
        ) AS number_of_new
    FROM given LEFT JOIN recorded USING (source_id, receiver, reason)
), bounded AS (
    SELECT source_id, receiver, count, sample,
        CASE WHEN is_recorded OR coalesce(reasons, 0) + number_of_new <= $6
            THEN reason ELSE $7 END AS reason
    FROM numbered LEFT JOIN reasons USING (source_id)
)
INSERT INTO rejected_inputs (source_id, receiver, reason, count, sample)
SELECT source_id, receiver, reason, sum(count), max(sample)
FROM bounded GROUP BY source_id, receiver, reason ORDER BY source_id, receiver, reason
ON CONFLICT (source_id, receiver, reason) DO UPDATE SET
    count = rejected_inputs.count + EXCLUDED.count,
    last_at = now(),
    sample = EXCLUDED.sample
