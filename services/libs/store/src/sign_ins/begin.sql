-- Counts an attempt as failed before its password is checked, so that parallel attempts are limited
-- and an interrupted one counts. A right password resets the count (see succeeded.sql). Changes no
-- row if the address is locked or the client is closed to it.
INSERT INTO sign_in_attempts AS earlier (
    client_id, address, failures, last_failure_at, pending, window_failures, window_at
)
SELECT $1, $2::cidr, 1, $3::timestamptz, 1, 1, $3::timestamptz
WHERE sign_in_closed_until($1, $3::timestamptz) IS NULL
    OR EXISTS (
        SELECT FROM sign_in_attempts
        WHERE client_id = $1 AND address = $2::cidr AND last_success_at IS NOT NULL
    )
ON CONFLICT (client_id, address) DO UPDATE SET
    failures = CASE
        WHEN sign_in_quiet_at(earlier.failures, earlier.last_failure_at) <= $3::timestamptz THEN 1
        ELSE earlier.failures + 1
    END,
    last_failure_at = $3::timestamptz,
    pending = CASE
        WHEN earlier.last_failure_at <= $3::timestamptz - interval '10 seconds' THEN 1
        ELSE earlier.pending + 1
    END,
    window_failures = CASE
        WHEN earlier.window_at <= $3::timestamptz - interval '15 minutes' THEN 1
        ELSE earlier.window_failures + 1
    END,
    window_at = CASE
        WHEN earlier.window_at <= $3::timestamptz - interval '15 minutes' THEN $3::timestamptz
        ELSE earlier.window_at
    END
WHERE sign_in_locked_until(earlier.failures, earlier.last_failure_at) <= $3::timestamptz
