-- Removes up to $1 rows of rejected input that are past the retention limit of events. Returns
-- their number.
WITH cutoff AS (
    SELECT before FROM retention_cutoffs WHERE data = 'events'
), removed AS (
    DELETE FROM rejected_inputs WHERE (source_id, receiver, reason) IN (
        SELECT source_id, receiver, reason FROM rejected_inputs
        WHERE last_at < (SELECT before FROM cutoff) LIMIT $1)
    -- More input may have been rejected meanwhile.
    AND last_at < (SELECT before FROM cutoff)
    RETURNING 1
), noted AS (
    INSERT INTO audit_log (actor, action, detail)
    SELECT 'retention', 'rejected_inputs.remove',
        jsonb_build_object('before', (SELECT before FROM cutoff), 'rows', count(*))
    FROM removed HAVING count(*) > 0
)
SELECT count(*) AS removed FROM removed
