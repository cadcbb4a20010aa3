-- Assigns earlier events to other sessions. $1 to $4: the events. $5: their sessions.
UPDATE correlated_events AS event SET session_id = given.session_id
FROM unnest($1::integer[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
    AS given (source_id, correlation_key, occurred_at, event_id, session_id)
WHERE (event.source_id, event.correlation_key, event.occurred_at, event.event_id)
    = (given.source_id, given.correlation_key, given.occurred_at, given.event_id)
