DROP FUNCTION session_end_reason, greater_person, replay_event, add_up_arrivals, expire_sessions, expire_audit_month, expire_event_month, expire_event_ids,
    remove_expired_partition, oldest_expired_partition, check_retention, make_partitions, month_end, sign_in_closed_until,
    sign_in_quiet_at, sign_in_locked_until;
DROP TABLE audit_log, sessions, persons, set_aside_events, events, event_ids, arrivals, source_gaps, source_networks, sources,
    sign_in_attempts, api_clients;
