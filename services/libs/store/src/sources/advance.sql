-- Records what sources report about themselves. $1, $2: sources and through when each is complete.
-- $3, $4: sources and restarts, in order. Rows are locked and inserted in the order of the sources,
-- so that batches at the same time do not deadlock. GREATEST ignores nulls.
WITH restarted AS (
    INSERT INTO source_restarts (source_id, restarted_at)
    SELECT * FROM unnest($3::integer[], $4::timestamptz[])
    ON CONFLICT DO NOTHING
),
given AS (
    SELECT * FROM unnest($1::integer[], $2::timestamptz[]) AS given (id, complete_through)
),
locked AS (
    SELECT id FROM sources JOIN given USING (id) ORDER BY id FOR NO KEY UPDATE OF sources
)
UPDATE sources SET complete_through = GREATEST(sources.complete_through, given.complete_through)
FROM given JOIN locked USING (id)
WHERE sources.id = given.id
