-- Returns the state that decides about an attempt with this name from this address. Writes nothing.
SELECT
    coalesce(client.id, 0) AS client_id,
    -- A disabled client is treated like an unknown one.
    CASE WHEN client.disabled_at IS NULL THEN client.password_hash END AS password_hash,
    coalesce(client.scope, '') AS scope,
    attempts.last_success_at IS NOT NULL AS known_address,
    NOT coalesce(
        attempts.failures = 0
            AND attempts.last_success_at > $3::timestamptz - interval '15 minutes',
        false
    ) AS success_is_news,
    CASE
        WHEN attempts.last_success_at IS NULL
            AND sign_in_closed_until(client.id, $3::timestamptz) IS NOT NULL
            THEN 'locked'
        WHEN attempts.client_id IS NULL
            OR sign_in_locked_until(attempts.failures, attempts.last_failure_at) <= $3::timestamptz
            THEN 'open'
        -- A pending attempt may still succeed and unlock the address. After 10 s it counts as
        -- failed.
        WHEN attempts.pending > 0
            AND attempts.last_failure_at > $3::timestamptz - interval '10 seconds'
            THEN 'undecided'
        ELSE 'locked'
    END AS standing
FROM (SELECT $1::text AS name) AS asked
LEFT JOIN api_clients AS client USING (name)
LEFT JOIN sign_in_attempts AS attempts
    ON attempts.client_id = coalesce(client.id, 0) AND attempts.address = $2::cidr
