-- As in event_keys: checking it costs as much as the row, and no role may remove a source.
ALTER TABLE sessions DROP CONSTRAINT sessions_source_id_fkey;
