DROP FUNCTION replay_event, add_up_arrivals, expire_sessions, expire_event_month, expire_event_keys, expired_event_month, check_retention,
    make_event_partitions, event_month_end;
DROP TABLE audit_log, sessions, set_aside_events, events, event_keys, arrivals, source_gaps, source_senders, sources, api_clients;
