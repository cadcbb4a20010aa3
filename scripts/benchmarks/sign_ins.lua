-- For wrk: signs the same API client in, with the right password. Its name and password come from the environment.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = ('{"username":"%s","password":"%s"}'):format(os.getenv("NAME"), os.getenv("PASSWORD"))

function done(summary, latency)
    local errors = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.connect + summary.errors.timeout
    io.write(("RESULT %d %.0f %d %.1f\n"):format(summary.requests, summary.requests / (summary.duration / 1e6), errors, latency:percentile(99) / 1000))
end
