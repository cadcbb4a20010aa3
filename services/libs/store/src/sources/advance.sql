-- Advances what sources report about themselves. The rows are locked in the order of the IDs, so
-- that batches at the same time do not deadlock. GREATEST ignores nulls.
WITH given AS (
    SELECT * FROM unnest($1::integer[], $2::timestamptz[], $3::timestamptz[])
        AS given (id, complete_through, last_restart_at)
),
locked AS (
    SELECT id FROM sources JOIN given USING (id) ORDER BY id FOR NO KEY UPDATE OF sources
)
UPDATE sources SET
    complete_through = GREATEST(sources.complete_through, given.complete_through),
    last_restart_at = GREATEST(sources.last_restart_at, given.last_restart_at)
FROM given JOIN locked USING (id)
WHERE sources.id = given.id
