-- Locks correlation keys until the end of the transaction, so that the sessions of a key are
-- recomputed by one transaction at a time. $1, $2: sources and keys. The locks are taken in one
-- order, so that transactions do not deadlock.
SELECT pg_advisory_xact_lock(hash)
FROM (
    SELECT DISTINCT hashtextextended(source_id || '/' || correlation_key, 0) AS hash
    FROM unnest($1::integer[], $2::text[]) AS given (source_id, correlation_key)
    ORDER BY hash
) AS locks
