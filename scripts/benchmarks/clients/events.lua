-- Posts new events with wrk, one per request. Sessions are opened and closed, with ACTIVES activity
-- events in between. The database is asked afterwards whether each event was stored: reading each
-- response would cost more than the request.
local event = '{"event_id":"%s-%09d","type":%s,"session_id":"%s-%09d","user":"user%04d",'
    .. '"realm":"Default","occurred_at":"%s"}'
local run, actives = os.getenv("RUN"), tonumber(os.getenv("ACTIVES"))
local count, head, times = 0, nil, {}

-- All events are equally long, so that the request head is made once. A space follows "login".
local function type_at(position)
    if position == 0 then
        return '"login" '
    end
    return position == actives + 1 and '"logout"' or '"active"'
end

local function next_event()
    local session = math.floor(count / (actives + 2))
    local kind = type_at(count % (actives + 2))
    count = count + 1
    return event:format(run, count, kind, run, session, session % 5000, times[count % 3600])
end

-- Prepares what can be prepared before the clock starts, because the client shares the cores with
-- the services.
function init()
    local hour_ago = os.time() - 3600
    for second = 0, 3599 do
        times[second] = os.date("!%Y-%m-%dT%H:%M:%SZ", hour_ago + second)
    end
    local body = next_event()
    local headers = {
        ["Authorization"] = "Bearer " .. os.getenv("KEY"),
        ["Content-Type"] = "application/json",
    }
    local request = wrk.format("POST", nil, headers, body)
    head = request:sub(1, -#body - 1)
end

function request()
    return head .. next_event()
end

function done(summary, latency)
    dofile("/clients/result.lua")(summary, latency)
end
