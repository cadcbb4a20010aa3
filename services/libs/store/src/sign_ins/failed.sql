-- Ends an attempt whose password was wrong. The last pending attempt of a locked address writes the
-- audit entry, so that an anonymous caller causes at most one entry per lock.
WITH ended AS (
    UPDATE sign_in_attempts SET pending = greatest(pending - 1, 0)
    WHERE client_id = $1 AND address = $2::cidr
    RETURNING
        client_id, address, failures, pending,
        sign_in_locked_until(failures, last_failure_at) AS locked_until
)
INSERT INTO audit_log (actor, action, detail)
SELECT client.name, 'sign_in.lock',
    jsonb_build_object('address', address::text, 'failures', failures, 'locked_until', locked_until)
FROM ended JOIN api_clients AS client ON client.id = ended.client_id
WHERE pending = 0 AND locked_until > $3::timestamptz
