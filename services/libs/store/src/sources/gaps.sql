-- Returns the latest gaps of sources, without those for which the source has reported later that it
-- is complete. $1: names of the sources. $2: maximum number of gaps of one source.
SELECT name AS source, from_at, to_at
FROM sources
CROSS JOIN LATERAL (
    SELECT from_at, to_at FROM source_gaps
    WHERE source_id = sources.id AND (complete_through IS NULL OR to_at > complete_through)
    ORDER BY from_at DESC LIMIT $2
) AS gaps
WHERE name = ANY ($1::text[])
ORDER BY name COLLATE "C", from_at
