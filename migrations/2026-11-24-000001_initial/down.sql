DROP FUNCTION add_up_arrivals, expire_sessions, expire_audit_month, expire_event_month, expire_event_keys, remove_expired_partition,
    oldest_expired_partition, check_retention, make_partitions, month_end;
DROP TABLE audit_log, sessions, events, event_keys, arrivals, source_gaps, source_senders, sources, api_clients;
