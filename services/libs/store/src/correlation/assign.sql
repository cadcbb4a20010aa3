-- Assigns events to their sessions. $1 to $4: the events. $5: their sessions.
UPDATE correlated_events AS stored SET session_id = given.session_id
FROM unnest($1::integer[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
    AS given (source_id, correlation_key, occurred_at, event_id, session_id)
WHERE (stored.source_id, stored.correlation_key, stored.occurred_at, stored.event_id)
    = (given.source_id, given.correlation_key, given.occurred_at, given.event_id)
