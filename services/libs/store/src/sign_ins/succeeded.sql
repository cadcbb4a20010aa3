-- Forgets the failures of a client at an address and remembers its success. The audit log gets at
-- most one entry per client, address and 15 minutes.
WITH earlier AS (
    SELECT last_success_at FROM sign_in_attempts WHERE client_id = $1 AND address = $2::cidr
), remembered AS (
    INSERT INTO sign_in_attempts AS attempts (client_id, address, last_success_at)
    VALUES ($1, $2::cidr, $3::timestamptz)
    ON CONFLICT (client_id, address) DO UPDATE SET
        failures = 0,
        pending = 0,
        window_failures = 0,
        last_success_at = CASE
            WHEN attempts.last_success_at > $3::timestamptz - interval '15 minutes'
                THEN attempts.last_success_at
            ELSE $3::timestamptz
        END
    RETURNING client_id, address
)
INSERT INTO audit_log (actor, action, detail)
SELECT client.name, 'sign_in.success', jsonb_build_object('address', address::text)
FROM remembered JOIN api_clients AS client ON client.id = remembered.client_id
WHERE NOT EXISTS (
    SELECT FROM earlier WHERE last_success_at > $3::timestamptz - interval '15 minutes'
)
