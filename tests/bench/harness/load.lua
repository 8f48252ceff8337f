-- Arguments: a file of "path<TAB>entity tag" lines or "-"; the longest pause of a connection between two requests,
-- in milliseconds; and "revalidate" to send the tag of each path.

local requests, at, pause = {}, 0, 0

function init(args)
    pause = tonumber(args[2])
    if args[1] ~= "-" then
        for line in io.lines(args[1]) do
            local path, tag = line:match("^([^\t]+)\t(.+)$")
            if args[3] == "revalidate" then
                wrk.headers["If-None-Match"] = tag
            end
            requests[#requests + 1] = wrk.format("GET", path)
        end
        request = function()
            at = at % #requests + 1
            return requests[at]
        end
    end
    if pause > 0 then
        math.randomseed(1)
        delay = function()
            return math.random(0, math.floor(pause + 0.5))
        end
    end
end

function done(summary, latency)
    local errors = summary.errors
    local count = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    print(string.format('RESULT {"requests": %d, "rate": %f, "p50": %f, "p99": %f, "errors": %d}',
        summary.requests, summary.requests / summary.duration * 1e6,
        latency:percentile(50) / 1e6, latency:percentile(99) / 1e6, count))
end
