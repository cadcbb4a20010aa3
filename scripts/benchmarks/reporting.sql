-- Copies the rows of a report on all users, from :first to :last (dates in UTC). The statement has
-- the columns, texts and order of the report, but none of its limits. Compare it with
-- services/libs/store/src/sessions/report.sql.
SET TIME ZONE 'UTC';
-- Compiling the statement takes longer than it saves. The role `reporting` does not compile either.
SET jit = off;
COPY (
    WITH attendance AS (
        SELECT
            person_id,
            min(login_at) AS first_login_at,
            CASE WHEN bool_and(
                logout_at >= last_activity_at
                OR last_activity_at < now() - interval '24 hours'
                OR next_due_at IS NOT NULL AND EXISTS (
                    SELECT FROM sources
                    WHERE sources.id = source_id AND last_event_at > next_due_at
                )
                OR EXISTS (
                    SELECT FROM source_restarts AS restart
                    WHERE restart.source_id = sessions.source_id
                        AND restarted_at >= last_activity_at AND restarted_at > login_at
                        AND restarted_at
                            <= least(last_activity_at + interval '24 hours', next_due_at)
                )
            ) THEN max(last_activity_at) END AS last_logout_at
        FROM sessions
        WHERE login_at >= date :'first' AND login_at < date :'last' + 1
        GROUP BY person_id
    )
    SELECT
        display_user,
        display_realm,
        to_char(first_login_at, 'YYYY-MM-DD HH24:MI:SS'),
        to_char(last_logout_at, 'YYYY-MM-DD HH24:MI:SS')
    FROM attendance JOIN persons ON persons.id = person_id
    ORDER BY normalized_user, normalized_realm
) TO STDOUT;
