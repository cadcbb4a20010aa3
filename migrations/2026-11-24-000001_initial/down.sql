DROP FUNCTION add_up_arrivals, expire_sessions, expire_event_month, expire_event_keys, expired_event_month, check_retention,
    make_event_partitions, event_month_end, sign_in_closed_until, sign_in_quiet_at, sign_in_locked_until;
DROP TABLE audit_log, sessions, events, event_keys, arrivals, source_gaps, source_senders, sources, sign_in_attempts, api_clients;
