-- Returns the known ones among the given events, each with its position, which begins at 1.
SELECT position, digest, EXISTS (
    SELECT FROM set_aside_events AS aside
    WHERE (aside.event_id, aside.source_id) = (known.event_id, known.source_id)
) AS is_set_aside,
-- EXISTS could be planned as a hash of all imported events. LIMIT excludes that.
coalesce((
    SELECT withdrawable FROM imported_events AS imported
    WHERE (imported.event_id, imported.source_id) = (known.event_id, known.source_id)
        AND withdrawable
    LIMIT 1
), false) AS is_withdrawable
FROM event_ids AS known
JOIN unnest($1::integer[], $2::text[]) WITH ORDINALITY AS given (source_id, event_id, position)
    USING (source_id, event_id)
