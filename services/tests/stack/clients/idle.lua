-- Opens idle connections: each sends one request and is silent after that.
-- Usage: wrk -s idle.lua URL -- CONNECTIONS_PER_THREAD
local connections, requests = 0, 0

function init(arguments)
    connections = tonumber(arguments[1])
end

function delay()
    requests = requests + 1
    return requests <= connections and 0 or 60000
end
