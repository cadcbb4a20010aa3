-- Returns what determines the completeness of the sources. Sources that only import do not count.
SELECT created_at, disabled_at, complete_through, assume_complete_seconds
FROM sources WHERE NOT imports_only
