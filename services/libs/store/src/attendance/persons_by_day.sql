-- Returns day rows: one for each reporting day and person with a login on that day, in one calendar
-- for all persons. This is rows.sql for the most common reports, in half of its time.
--
-- $1, $2: dates and starts of the reporting days. $3: end of the last one.
-- $4: sessions whose last activity is earlier are closed by timeout.
-- $5: IDs of the selected persons, or null for all.
-- $6, $7: the rows of the first day begin after this normalized user and realm.
-- $8: maximum number of rows, or null. $9: the timeout in seconds.
WITH ended AS (
    -- Reads the index sessions_by_login alone, or sessions_by_person for few persons.
    SELECT
        person_id, day, login_at, last_activity_at, active_seconds, end_reason,
        -- The end of what earlier sessions of the day cover.
        max(last_activity_at) OVER (
            PARTITION BY person_id, day ORDER BY login_at
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS covered_until
    FROM (
        -- For a single day, `day` is a constant, so that the planner leaves it out of sorting and
        -- grouping.
        SELECT
            *,
            CASE cardinality($2::timestamptz[])
                WHEN 1 THEN 1 ELSE width_bucket(login_at, $2::timestamptz[])
            END AS day
        FROM sessions
    ) AS sessions
    CROSS JOIN LATERAL session_end_reason(
        source_id, login_at, logout_at, last_activity_at, next_due_at, $4::timestamptz, $9::bigint
    )
    WHERE login_at >= ($2::timestamptz[])[1] AND login_at < $3
        AND person_id IS NOT NULL AND ($5::integer[] IS NULL OR person_id = ANY ($5))
),
attendance AS (
    SELECT
        person_id,
        ($1::date[])[row_day] AS date,
        min(login_at) AS first_login_at,
        max(last_activity_at) AS last_end_at,
        max(last_activity_at) FILTER (WHERE end_reason = 'logout') AS last_logout_at,
        max(last_activity_at) FILTER (WHERE end_reason = 'restart') AS last_restart_at,
        count(*) AS sessions,
        sum(last_activity_at - greatest(login_at, covered_until))
            FILTER (WHERE covered_until IS NULL OR last_activity_at > covered_until) AS worked,
        CASE WHEN count(active_seconds) = count(*) THEN sum(active_seconds) END AS active_seconds,
        count(*) FILTER (WHERE end_reason IS NULL) AS open_sessions
    FROM (
        -- Repeat the expression, because the planner does not know that the column `day` of `ended`
        -- is a constant.
        SELECT *, CASE cardinality($2::timestamptz[]) WHEN 1 THEN 1 ELSE day END AS row_day
        FROM ended
    ) AS ended
    GROUP BY person_id, row_day
)
SELECT
    date,
    NULL::bigint AS days,
    display_user AS "user",
    display_realm AS realm,
    employee_id,
    NULL::text AS calendar,
    first_login_at,
    CASE WHEN open_sessions = 0 THEN last_end_at END AS last_logout_at,
    sessions,
    floor(date_part('epoch', coalesce(worked, '0')))::bigint AS worked_seconds,
    active_seconds::bigint AS active_seconds,
    open_sessions,
    CASE
        WHEN open_sessions > 0 THEN NULL
        WHEN last_end_at = last_logout_at THEN 'logout'
        WHEN last_end_at = last_restart_at THEN 'restart'
        ELSE 'timeout'
    END AS end_reason,
    NULL::boolean AS from_previous_day,
    NULL::boolean AS to_next_day,
    last_end_at AS last_at
FROM attendance
JOIN persons ON persons.id = person_id
LEFT JOIN employee_mappings AS mapping
    ON mapping.person_id = persons.id AND date BETWEEN valid_from AND valid_to
WHERE $6::text IS NULL OR date > ($1::date[])[1]
    OR (normalized_user, normalized_realm) > ($6, $7::text)
ORDER BY date, normalized_user, normalized_realm
LIMIT $8::bigint
