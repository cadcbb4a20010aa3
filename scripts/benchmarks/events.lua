-- For wrk: POSTs new events, one a request. Sessions are opened and closed in turn, so that both merging and making are in it.
-- Whether each was recorded is asked of the database afterwards, and not of each answer: that would cost more than the request.
local event = '{"event_id":"%s-%09d","type":%s,"session_id":"%s-%09d","user":"user%04d","realm":"Default","occurred_at":"%s"}'
local run, count, head, times = os.getenv("RUN"), 0, nil, {}

local function next_event()
    count = count + 1
    local session = math.floor((count - 1) / 2)
    local kind = count % 2 == 1 and '"login" ' or '"logout"'
    return event:format(run, count, kind, run, session, session % 5000, times[count % 3600])
end

-- What can be made before the clock starts is: the client shares the cores with what is measured.
-- All events are equally long, for which "login" has a space behind it, so that the head is made once.
function init()
    local hour_ago = os.time() - 3600
    for second = 0, 3599 do
        times[second] = os.date("!%Y-%m-%dT%H:%M:%SZ", hour_ago + second)
    end
    local body = next_event()
    local request = wrk.format("POST", nil, { ["Authorization"] = "Bearer " .. os.getenv("KEY"), ["Content-Type"] = "application/json" }, body)
    head = request:sub(1, -#body - 1)
end

function request()
    return head .. next_event()
end

function done(summary, latency)
    local errors = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.connect + summary.errors.timeout
    io.write(("RESULT %d %.0f %d %.1f\n"):format(summary.requests, summary.requests / (summary.duration / 1e6), errors, latency:percentile(99) / 1000))
end
