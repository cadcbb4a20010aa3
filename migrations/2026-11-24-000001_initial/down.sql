DROP FUNCTION
    remove_abandoned_sessions, session_end_reason, restart_after, greater_person, replay_event,
    withdraw_import, forget_rejected_inputs, write_heartbeat, write_receiver_heartbeat,
    write_heartbeat_of, counts_as_complete, sign_in_closed_until, sign_in_quiet_at,
    sign_in_locked_until;
DROP TABLE heartbeats, imported_events, imports, audit_log, correlated_events, sessions,
    employee_mappings, calendars, persons,
    rejected_inputs, set_aside_events, events, event_ids, arrivals, source_gaps, source_restarts,
    source_networks, sources, sign_in_attempts, api_clients;
DROP VIEW retention_cutoffs;
DROP TABLE retention_limits;
DROP SCHEMA partitions;
