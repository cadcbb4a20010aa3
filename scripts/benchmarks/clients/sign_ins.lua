-- Signs the same API client in, with wrk. NAME and PASSWORD are in the environment.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local body = '{"username":"%s","password":"%s"}'
wrk.body = body:format(os.getenv("NAME"), os.getenv("PASSWORD"))

function done(summary, latency)
    dofile("/clients/result.lua")(summary, latency)
end
