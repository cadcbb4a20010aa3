-- Returns the rows of an attendance report.
--
-- $1 to $4: reporting days as date, calendar, start and end. The calendar is null for the default
-- and where one calendar is used for all persons.
-- $5: sessions whose last activity is earlier are closed by timeout.
-- $6: IDs of the selected persons, or null for all. $7: selected employee IDs, or null for all.
-- $8: rows are for one day each, not for the whole period.
-- $9: persons of one employee are merged.
-- $10: a session counts in every day that it touches, not in the day of its login.
-- $11: the mapping of the person names the calendar.
-- $12: adds rows without sessions for absent employees, on days that begin before this time. Null
-- adds none.
-- $13 to $16: the rows begin after this date, normalized user, normalized realm and employee ID.
-- $17: maximum number of rows, or null. $18: the timeout in seconds.
--
-- The statement is planned for its parameters each time, so that the planner removes what a flag
-- switches off.
WITH days AS (
    SELECT CASE WHEN $8 THEN date END AS row_date, date, calendar, start_at, end_at
    FROM unnest($1::date[], $2::text[], $3::timestamptz[], $4::timestamptz[])
        AS given (date, calendar, start_at, end_at)
),
row_days AS (
    -- The days of each row.
    SELECT
        row_date, calendar, range_agg(daterange(date, date, '[]')) AS dates,
        range_agg(daterange(date, date, '[]')) FILTER (WHERE start_at < $12) AS begun_dates
    FROM days GROUP BY row_date, calendar
),
mapped AS (
    -- The mappings on the days of each row, with the person, employee and calendar that the row
    -- shows: of an employee those of the first person, otherwise those of the latest mapping.
    SELECT
        row_date, mapping.person_id, mapping.calendar, valid_from, valid_to,
        daterange(valid_from, valid_to, '[]') && begun_dates AS is_expected,
        first_value(person_id) OVER subject AS shown_id,
        first_value(employee_id) OVER subject AS employee_id,
        first_value(mapping.calendar) OVER subject AS shown_calendar
    FROM row_days
    JOIN employee_mappings AS mapping
        ON daterange(valid_from, valid_to, '[]') && dates
        AND (NOT $11 OR mapping.calendar IS NOT DISTINCT FROM row_days.calendar)
    LEFT JOIN persons ON persons.id = person_id
    WHERE ($6::integer[] IS NULL OR person_id = ANY ($6))
        AND ($7::text[] IS NULL OR employee_id = ANY ($7))
    WINDOW subject AS (
        PARTITION BY
            row_date, CASE WHEN $9 THEN employee_id END, CASE WHEN NOT $9 THEN person_id END
        ORDER BY
            CASE WHEN $9 THEN normalized_user END, CASE WHEN $9 THEN normalized_realm END,
            valid_from DESC
    )
),
touching AS (
    -- The sessions of each day.
    SELECT
        row_date, date, calendar, start_at, end_at, source_id,
        CASE WHEN NOT $8 AND ($10 OR $11) THEN session_id END AS session_id, person_id, login_at,
        logout_at, last_activity_at, next_due_at, active_seconds
    FROM days
    JOIN sessions ON login_at >= start_at AND login_at < end_at
    UNION ALL
    -- Sessions that began less than 24 hours before the day and continue on it.
    SELECT
        row_date, date, calendar, start_at, end_at, source_id,
        CASE WHEN NOT $8 AND ($10 OR $11) THEN session_id END AS session_id, person_id, login_at,
        logout_at, last_activity_at, next_due_at, active_seconds
    FROM days
    JOIN sessions ON login_at >= start_at - interval '24 hours' AND login_at < start_at
        AND last_activity_at > start_at
        AND last_activity_at - login_at < interval '24 hours'
    WHERE $10
    UNION ALL
    -- Longer sessions that began before the day, however long before. The index sessions_long has
    -- them alone.
    SELECT
        row_date, date, calendar, start_at, end_at, source_id,
        CASE WHEN NOT $8 AND ($10 OR $11) THEN session_id END AS session_id, person_id, login_at,
        logout_at, last_activity_at, next_due_at, active_seconds
    FROM days
    JOIN sessions ON login_at < start_at AND last_activity_at > start_at
        AND last_activity_at - login_at >= interval '24 hours'
    WHERE $10
),
pieces AS (
    -- The part of each session that counts on a day.
    SELECT
        touching.row_date, date, coalesce(shown_id, touching.person_id) AS shown_id, employee_id,
        shown_calendar, source_id, session_id, login_at, last_activity_at, end_reason,
        CASE WHEN $10 THEN greatest(login_at, start_at) ELSE login_at END AS from_at,
        CASE WHEN $10 THEN least(last_activity_at, end_at) ELSE last_activity_at END AS to_at,
        -- A source measures the active time of whole sessions.
        CASE WHEN NOT $10 OR login_at >= start_at AND last_activity_at <= end_at
            THEN active_seconds
        END AS active_seconds,
        end_at AS day_end_at, NULL::boolean AS is_expected
    FROM touching
    LEFT JOIN mapped
        ON mapped.person_id = touching.person_id
        AND mapped.row_date IS NOT DISTINCT FROM touching.row_date
        AND date BETWEEN valid_from AND valid_to
    CROSS JOIN LATERAL session_end_reason(
        source_id, login_at, logout_at, last_activity_at, next_due_at, $5::timestamptz, $18::bigint
    )
    WHERE touching.person_id IS NOT NULL
        AND ($6::integer[] IS NULL OR touching.person_id = ANY ($6))
        AND ($7::text[] IS NULL OR employee_id IS NOT NULL)
        AND (NOT $11 OR mapped.calendar IS NOT DISTINCT FROM touching.calendar)
    UNION ALL
    -- A piece without a session for each mapped person. It makes the row of an absent person, and
    -- in a row of a period it names the employee of a person without a session on a mapped day.
    SELECT
        row_date, NULL, shown_id, employee_id, shown_calendar, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, is_expected
    FROM mapped
    WHERE $12 IS NOT NULL AND is_expected OR NOT $8 AND NOT $9
),
ordered AS (
    SELECT
        *,
        -- The end of what earlier sessions of the row cover.
        max(to_at) OVER (
            PARTITION BY shown_id, row_date, CASE WHEN $9 THEN employee_id END
            ORDER BY from_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS covered_until,
        -- Only in a row of a period can a session have several pieces.
        CASE WHEN $8 OR NOT ($10 OR $11) THEN true ELSE 1 = row_number() OVER (
            PARTITION BY
                shown_id, row_date, CASE WHEN $9 THEN employee_id END, source_id, session_id
            ORDER BY date
        ) END AS is_first,
        CASE WHEN $8 OR NOT $10 THEN true ELSE 1 = row_number() OVER (
            PARTITION BY
                shown_id, row_date, CASE WHEN $9 THEN employee_id END, source_id, session_id
            ORDER BY date DESC
        ) END AS is_last
    FROM pieces
),
attendance AS (
    SELECT
        row_date,
        shown_id,
        max(employee_id) AS employee_id,
        CASE WHEN $11 THEN max(shown_calendar) END AS calendar,
        CASE WHEN NOT $8 THEN count(DISTINCT date) END AS days,
        min(from_at) AS first_login_at,
        max(to_at) AS last_end_at,
        count(login_at) FILTER (WHERE is_first) AS sessions,
        -- An employee with a session of another person is not absent.
        bool_or(is_expected) AND 0 = sum(count(login_at)) OVER (
            PARTITION BY row_date, max(employee_id)
        ) AS is_absent,
        floor(extract(epoch FROM coalesce(
            sum(to_at - greatest(from_at, covered_until))
                FILTER (WHERE covered_until IS NULL OR to_at > covered_until),
            '0'
        )))::bigint AS worked_seconds,
        CASE WHEN count(active_seconds) = count(login_at)
            THEN sum(active_seconds) FILTER (WHERE is_first)
        END::bigint AS active_seconds,
        count(login_at) FILTER (WHERE is_first AND end_reason IS NULL) AS open_sessions,
        -- Of the session that ends last.
        CASE max(last_activity_at)
            WHEN max(last_activity_at) FILTER (WHERE end_reason = 'logout') THEN 'logout'
            WHEN max(last_activity_at) FILTER (WHERE end_reason = 'restart') THEN 'restart'
            WHEN max(last_activity_at) FILTER (WHERE end_reason = 'timeout') THEN 'timeout'
        END AS end_reason,
        CASE WHEN $10 THEN coalesce(bool_or(is_first AND login_at < from_at), false) END
            AS from_previous_day,
        CASE WHEN $10 THEN coalesce(bool_or(is_last AND last_activity_at > to_at), false) END
            AS to_next_day,
        greatest(max(last_activity_at), max(day_end_at)) AS last_at
    FROM ordered
    GROUP BY shown_id, row_date, CASE WHEN $9 THEN employee_id END
)
SELECT
    row_date AS date,
    days,
    display_user AS "user",
    display_realm AS realm,
    employee_id,
    calendar,
    first_login_at,
    CASE WHEN open_sessions = 0 THEN last_end_at END AS last_logout_at,
    sessions,
    worked_seconds,
    active_seconds,
    open_sessions,
    CASE WHEN open_sessions = 0 THEN end_reason END AS end_reason,
    from_previous_day,
    to_next_day,
    last_at
FROM attendance
JOIN persons ON persons.id = shown_id
WHERE (sessions > 0 OR $12 IS NOT NULL AND is_absent)
    AND ($14::text IS NULL OR
        (coalesce(row_date, '-infinity'), normalized_user, normalized_realm,
            coalesce(employee_id, ''))
        > (coalesce($13::date, '-infinity'), $14, $15::text, coalesce($16::text, '')))
ORDER BY row_date, normalized_user, normalized_realm, employee_id NULLS FIRST
LIMIT $17::bigint
