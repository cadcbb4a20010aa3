-- Returns for each of these sessions ($1, $2) what closed it if no logout did.
SELECT
    sessions.source_id,
    session_id,
    restarted_at,
    -- The latest event announced the next one for half of the time until next_due_at. This closes
    -- the session once the source has reported something later, as in session_end_reason.
    CASE WHEN last_event_at > next_due_at OR EXISTS (
        SELECT FROM arrivals
        WHERE arrivals.source_id = sessions.source_id AND arrivals.last_event_at > next_due_at
    ) THEN last_activity_at + (next_due_at - last_activity_at) / 2 END AS announced_at
FROM unnest($1::integer[], $2::text[]) AS given (source_id, session_id)
JOIN sessions USING (session_id, source_id)
JOIN sources ON sources.id = sessions.source_id
CROSS JOIN LATERAL restart_after(sessions.source_id, login_at, last_activity_at)
