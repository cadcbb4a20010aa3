-- Removes up to $1 sessions whose last activity is past the retention limit. Returns their number.
WITH cutoff AS (
    SELECT before FROM retention_cutoffs WHERE data = 'sessions'
), removed AS (
    DELETE FROM sessions WHERE (session_id, source_id) IN (
        SELECT session_id, source_id FROM sessions
        -- The condition on login_at uses its index.
        WHERE (login_at < (SELECT before FROM cutoff) OR login_at IS NULL)
            AND last_activity_at < (SELECT before FROM cutoff)
        LIMIT $1)
    -- A late event may have moved the last activity meanwhile.
    AND last_activity_at < (SELECT before FROM cutoff)
    RETURNING 1
), noted AS (
    INSERT INTO audit_log (actor, action, detail)
    SELECT 'retention', 'sessions.remove',
        jsonb_build_object('before', (SELECT before FROM cutoff), 'sessions', count(*))
    FROM removed HAVING count(*) > 0
)
SELECT count(*) AS removed FROM removed
