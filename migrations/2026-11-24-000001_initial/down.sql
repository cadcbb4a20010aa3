DROP TABLE audit_log, sessions, events, sources, api_clients;
DROP FUNCTION session_end;
