-- Returns the entries from $1 to before $2 of the actor $3 whose action begins with $4, the latest
-- first, after the entry with the time $5 and the number $6. Parameters that are null select all.
-- $7: maximum number of entries.
SELECT id, at, role, actor, action, detail
FROM audit_log
WHERE at >= coalesce($1::timestamptz, '-infinity')
    AND at < coalesce($2::timestamptz, 'infinity')
    AND (at, id) < (coalesce($5::timestamptz, 'infinity'), coalesce($6::bigint, 0))
    AND (actor = $3 OR $3::text IS NULL)
    AND (starts_with(action, $4::text) OR $4::text IS NULL)
ORDER BY at DESC, id DESC
LIMIT $7
