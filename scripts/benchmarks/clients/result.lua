-- Prints what wrk measured as a JSON object.
return function(summary, latency)
    local failed = 0
    for _, number in pairs(summary.errors) do
        failed = failed + number
    end
    local result = '{"requests":%d,"rate":%.0f,"errors":%d,"p99_ms":%.1f}\n'
    local rate = summary.requests / (summary.duration / 1e6)
    io.write(result:format(summary.requests, rate, failed, latency:percentile(99) / 1000))
end
