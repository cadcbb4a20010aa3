-- Begins an import of the file $2 for the source $1 by the person $3, and returns its ID. Also
-- writes the audit entry.
WITH begun AS (
    INSERT INTO imports (source_id, file_name, person) VALUES ($1, $2, $3)
    RETURNING id, source_id
), noted AS (
    INSERT INTO audit_log (actor, action, detail)
    SELECT 'operator', 'import', jsonb_build_object(
        'import', begun.id, 'source', name, 'file', $2::text, 'person', $3::text)
    FROM begun JOIN sources ON sources.id = source_id
)
SELECT id FROM begun
