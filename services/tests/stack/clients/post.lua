-- Posts one event in each request.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"event_id":"1","type":"login","session_id":"1","user":"user_4",'
    .. '"occurred_at":"2025-01-01T15:30:00Z"}'
