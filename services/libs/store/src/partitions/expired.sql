-- Returns the oldest partition of table $1 whose month ended before the retention limit of the
-- table, or no row.
WITH months AS (
    -- The end of the month is read from the name: events_2026_11.
    SELECT pg_class.oid, relname,
        (to_date(right(relname, 7), 'YYYY_MM') + interval '1 month') AT TIME ZONE 'UTC' AS ends_at
    FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
    WHERE inhparent = $1::text::regclass
)
SELECT format('DROP TABLE partitions.%I', relname) AS drop_table, ends_at,
    pg_relation_size(oid) / current_setting('block_size')::bigint AS blocks
FROM months JOIN retention_cutoffs ON data = $1::text AND ends_at <= before
ORDER BY ends_at LIMIT 1
