-- For wrk: POSTs new events, one a request; stops at the first that is not accepted.
-- Sessions are opened and closed in turn, so that both merging and making are in it.
local threads = 0

function setup(thread)
    threads = threads + 1
    thread:set("number", threads)
end

local run = os.getenv("RUN")
local hour_ago = os.time() - 3600
local count = 0
local event = '{"event_id":"%s-%d-%d","type":"%s","session_id":"%s-%d-%d","user":"user%d","realm":"Default","occurred_at":"%s"}\n'

local function next_event()
    count = count + 1
    local session = math.floor((count - 1) / 2)
    local kind = count % 2 == 1 and "login" or "logout"
    return event:format(run, number, count, kind, run, number, session, session % 5000,
        os.date("!%Y-%m-%dT%H:%M:%SZ", hour_ago + count % 3600))
end

function request()
    return wrk.format("POST", nil, { ["Authorization"] = "Bearer " .. os.getenv("KEY"), ["Content-Type"] = "application/json" }, next_event())
end

-- Every answer must be a receipt that accepts the event.
function response(status, _, body)
    if status ~= 200 or not body:find('"accepted":1,', 1, true) then wrk.thread:stop() end
end

function done(summary, latency)
    local errors = summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.connect + summary.errors.timeout
    io.write(("RESULT %.0f %d %.1f\n"):format(summary.requests / (summary.duration / 1e6), errors, latency:percentile(99) / 1000))
end
