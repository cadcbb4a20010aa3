-- Returns the $1 enabled sources that have been silent the longest, with their latest time of
-- arrival. A source that has sent nothing yet counts from its registration.
SELECT name, coalesce(last_received_at, created_at) AS last_received_at
FROM sources WHERE disabled_at IS NULL
ORDER BY coalesce(last_received_at, created_at), name LIMIT $1
