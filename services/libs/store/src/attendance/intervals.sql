-- Returns the intervals in which each employee, or person without an employee, was connected.
-- Sessions that overlap or touch are one interval. An open session has no end yet, so that it takes
-- in every later session: once it has ended, these may lie within it.
--
-- $1 to $4: reporting days as date, calendar, start and end. The calendar is null for the default
-- and where one calendar is used for all persons.
-- $5: sessions whose last activity is earlier are closed by timeout.
-- $6: IDs of the selected persons, or null for all. $7: selected employee IDs, or null for all.
-- $8: the mapping of the person names the calendar. $9: the timeout in seconds.
WITH days AS (
    SELECT * FROM unnest($1::date[], $2::text[], $3::timestamptz[], $4::timestamptz[])
        AS given (date, calendar, start_at, end_at)
),
mapped AS (
    -- The mappings of each day, with the first person of the employee and the person's calendar.
    SELECT
        date, person_id, mapping.calendar, employee_id,
        first_value(person_id) OVER employee AS shown_id,
        first_value(mapping.calendar) OVER employee AS shown_calendar
    FROM days
    JOIN employee_mappings AS mapping
        ON date BETWEEN valid_from AND valid_to
        AND (NOT $8 OR mapping.calendar IS NOT DISTINCT FROM days.calendar)
    JOIN persons ON persons.id = person_id
    WHERE ($6::integer[] IS NULL OR person_id = ANY ($6))
        AND ($7::text[] IS NULL OR employee_id = ANY ($7))
    WINDOW employee AS (
        PARTITION BY date, employee_id ORDER BY normalized_user, normalized_realm
    )
),
selected AS (
    -- The sessions of each day.
    SELECT
        date, employee_id, coalesce(shown_id, sessions.person_id) AS shown_id, shown_calendar,
        -- All intervals of an employee, or of a person without one, are computed together.
        CASE WHEN employee_id IS NULL THEN sessions.person_id END AS unmapped_id,
        login_at, last_activity_at, end_reason, end_at AS day_end_at
    FROM days
    JOIN sessions ON login_at >= start_at AND login_at < end_at
    LEFT JOIN mapped USING (date, person_id)
    CROSS JOIN LATERAL session_end_reason(
        source_id, login_at, logout_at, last_activity_at, next_due_at, $5::timestamptz, $9::bigint
    )
    WHERE sessions.person_id IS NOT NULL
        AND ($6::integer[] IS NULL OR sessions.person_id = ANY ($6))
        AND ($7::text[] IS NULL OR employee_id IS NOT NULL)
        AND (NOT $8 OR mapped.calendar IS NOT DISTINCT FROM days.calendar)
),
ordered AS (
    -- A session begins an interval if it begins after all earlier ones have ended.
    SELECT
        *,
        (login_at <= max(
            CASE WHEN end_reason IS NULL THEN 'infinity' ELSE last_activity_at END
        ) OVER (
            PARTITION BY employee_id, unmapped_id ORDER BY login_at, date, shown_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )) IS NOT TRUE AS begins
    FROM selected
),
numbered AS (
    SELECT
        *,
        count(*) FILTER (WHERE begins) OVER (
            PARTITION BY employee_id, unmapped_id ORDER BY login_at, date, shown_id
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS number
    FROM ordered
),
intervals AS (
    -- Exactly one session begins an interval. Its day determines what the interval shows.
    SELECT
        employee_id,
        min(date) FILTER (WHERE begins) AS row_date,
        min(shown_id) FILTER (WHERE begins) AS shown_id,
        CASE WHEN $8 THEN min(shown_calendar) FILTER (WHERE begins) END AS calendar,
        min(login_at) AS start_at,
        CASE WHEN bool_and(end_reason IS NOT NULL) THEN max(last_activity_at) END AS end_at,
        greatest(max(last_activity_at), max(day_end_at)) AS last_at
    FROM numbered
    GROUP BY employee_id, unmapped_id, number
)
SELECT
    row_date AS date, display_user AS "user", display_realm AS realm, employee_id, calendar,
    start_at, end_at, last_at
FROM intervals
JOIN persons ON persons.id = shown_id
ORDER BY employee_id, start_at, normalized_user, normalized_realm
