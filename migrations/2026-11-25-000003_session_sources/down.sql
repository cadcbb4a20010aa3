ALTER TABLE sessions ADD CONSTRAINT sessions_source_id_fkey FOREIGN KEY (source_id) REFERENCES sources;
