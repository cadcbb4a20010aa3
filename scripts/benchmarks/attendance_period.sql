-- Copies one row for each person, for the period from :first to :last (dates in UTC), with the
-- columns, texts and order of version 2 as CSV has them. Compare this statement with the one in
-- services/libs/store/src/attendance/.
SET TIME ZONE 'UTC';
-- Compiling the statement takes longer than it saves. The role `reporting` does not compile either.
SET jit = off;
COPY (
    WITH bounds AS (
        SELECT array_agg(day) AS days
        FROM generate_series(timestamptz :'first', timestamptz :'last', interval '1 day') AS day
    ),
    -- Intervals in which a source counts but is not complete.
    incomplete AS MATERIALIZED (
        SELECT
            greatest(
                created_at, complete_through,
                now() - assume_complete_seconds * interval '1 second'
            ) AS from_at,
            coalesce(disabled_at, 'infinity') AS to_at
        FROM sources
        WHERE NOT imports_only
    ),
    attendance AS (
        SELECT
            person_id,
            min(login_at) AS first_login_at,
            max(last_activity_at) AS last_end_at,
            max(last_activity_at) FILTER (WHERE end_reason = 'logout') AS last_logout_at,
            max(last_activity_at) FILTER (WHERE end_reason = 'restart') AS last_restart_at,
            count(*) AS sessions,
            floor(date_part('epoch',
                sum(last_activity_at - greatest(login_at, worked_until_at))
                FILTER (WHERE worked_until_at IS NULL OR worked_until_at < last_activity_at)
            ))::bigint AS worked_seconds,
            CASE WHEN count(active_seconds) = count(*) THEN sum(active_seconds) END
                AS active_seconds,
            count(*) FILTER (WHERE end_reason IS NULL) AS open_sessions,
            count(DISTINCT day) AS days
        FROM (
            SELECT
                *,
                max(last_activity_at) OVER (
                    PARTITION BY person_id ORDER BY login_at
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ) AS worked_until_at
            FROM (
                SELECT
                    person_id,
                    login_at,
                    last_activity_at,
                    active_seconds,
                    -- A subquery, because a joined array would be copied into each row and sorted.
                    width_bucket(login_at, (SELECT days FROM bounds)) AS day,
                    CASE
                        WHEN logout_at >= last_activity_at THEN 'logout'
                        WHEN EXISTS (
                            SELECT FROM source_restarts AS restart
                            WHERE restart.source_id = sessions.source_id
                                AND restarted_at >= last_activity_at AND restarted_at > login_at
                                AND restarted_at
                                    <= least(last_activity_at + interval '24 hours', next_due_at)
                        ) THEN 'restart'
                        WHEN last_activity_at < now() - interval '24 hours' THEN 'timeout'
                        WHEN next_due_at IS NOT NULL AND EXISTS (
                            SELECT FROM sources
                            WHERE sources.id = source_id AND last_event_at > next_due_at
                        ) THEN 'timeout'
                    END AS end_reason
                FROM sessions
                WHERE login_at >= timestamptz :'first'
                    AND login_at < timestamptz :'last' + interval '1 day'
            ) AS ended
        ) AS sessions_in_order
        GROUP BY person_id
    )
    SELECT
        display_user,
        display_realm,
        employee_id,
        to_char(first_login_at, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM'),
        CASE WHEN open_sessions = 0
            THEN to_char(last_end_at, 'YYYY-MM-DD"T"HH24:MI:SSTZH:TZM')
        END,
        sessions,
        worked_seconds,
        active_seconds,
        open_sessions,
        CASE
            WHEN open_sessions > 0 THEN NULL
            WHEN last_end_at = last_logout_at THEN 'logout'
            WHEN last_end_at = last_restart_at THEN 'restart'
            ELSE 'timeout'
        END,
        false,
        CASE WHEN open_sessions = 0 AND NOT EXISTS (
            SELECT FROM incomplete
            WHERE from_at < complete_at AND complete_at < to_at
        ) THEN 'final' ELSE 'provisional' END,
        attendance.days
    FROM attendance
    CROSS JOIN LATERAL (
        SELECT greatest(timestamptz :'last' + interval '1 day', last_end_at) AS complete_at
    ) AS day_and_sessions
    JOIN persons ON persons.id = person_id
    -- The mapping on the last day of the period on which the person is mapped.
    LEFT JOIN LATERAL (
        SELECT employee_id FROM employee_mappings AS mapping
        WHERE mapping.person_id = persons.id
            AND valid_from <= date :'last' AND valid_to >= date :'first'
        ORDER BY valid_from DESC
        LIMIT 1
    ) AS mapped ON true
    ORDER BY normalized_user, normalized_realm
) TO STDOUT;
