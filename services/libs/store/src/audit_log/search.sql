-- Returns the entries from $1 to before $2 of the actor $3 whose action begins with $4, the latest
-- first, after the entry with the time $5 and the number $6. Parameters that are null select all.
SELECT id, at, role, actor, action, detail
FROM audit_log
WHERE at >= coalesce($1, '-infinity') AND at < coalesce($2, 'infinity')
    AND (at, id) < (coalesce($5, 'infinity'), coalesce($6, 0))
    AND (actor = $3 OR $3 IS NULL)
    AND (starts_with(action, $4) OR $4 IS NULL)
ORDER BY at DESC, id DESC
LIMIT $7
