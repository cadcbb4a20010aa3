-- Ids before sources. The source came first and is nearly always the same, so that each step down these indexes compared it in vain.
ALTER TABLE event_keys DROP CONSTRAINT event_keys_pkey, ADD PRIMARY KEY (event_id, source_id);
ALTER TABLE sessions DROP CONSTRAINT sessions_pkey, ADD PRIMARY KEY (session_id, source_id);
