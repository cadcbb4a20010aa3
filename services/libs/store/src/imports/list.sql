-- Returns the imports, the latest first. $1: only this import, or null for all.
SELECT imports.id, sources.name AS source, file_name AS file, person, started_at, finished_at, rows,
    rejected_rows, accepted_events, duplicate_events, undone_at, withdrawn_events
FROM imports JOIN sources ON sources.id = source_id
WHERE $1::integer IS NULL OR imports.id = $1
ORDER BY imports.id DESC
