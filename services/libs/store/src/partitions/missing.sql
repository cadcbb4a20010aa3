-- Returns the statements that create the missing partitions of this month and the next three (UTC).
-- Creating a table first and attaching it then does not block writers of the partitioned table.
WITH months AS (
    -- Without a time zone, so that adding months does not depend on the zone of the connection.
    SELECT date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month' AS month
    FROM generate_series(0, 3) AS ahead
), bounds AS (
    SELECT parent, parent || to_char(month, '"_"YYYY_MM') AS name,
        month AT TIME ZONE 'UTC' AS begins_at,
        (month + interval '1 month') AT TIME ZONE 'UTC' AS ends_at
    FROM months CROSS JOIN unnest(ARRAY['events', 'audit_log']) AS parent
)
SELECT
    format('CREATE TABLE partitions.%I (LIKE public.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
        name, parent) AS create_table,
    format('ALTER TABLE public.%I ATTACH PARTITION partitions.%I FOR VALUES FROM (%L) TO (%L)',
        parent, name, begins_at, ends_at) AS attach
FROM bounds
WHERE to_regclass('partitions.' || name) IS NULL
ORDER BY name
