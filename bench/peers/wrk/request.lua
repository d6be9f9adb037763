-- SPDX-License-Identifier: BSL-1.0
-- One constant request, which wrk makes once of what init() sets, and the figures as a line of JSON.
-- wrk's latencies are in us.
function init(args)
    wrk.method = "POST"
    wrk.body = '{"TableName":"' .. args[1] .. '","Key":{"key":{"S":"' .. args[2] .. '"}}}'
    for name, value in args[3]:gmatch("([^:\n]+): ([^\n]+)") do wrk.headers[name] = value end
end

function done(summary, latency)
    local bad = summary.errors
    io.write(string.format('\nRESULT {"ops": %d, "errors": %d, "seconds": %f, "latency_us": ' ..
        '{"p50": %d, "p90": %d, "p99": %d, "p999": %d, "max": %d}}\n', summary.requests,
        bad.connect + bad.read + bad.write + bad.status + bad.timeout, summary.duration / 1e6,
        latency:percentile(50), latency:percentile(90), latency:percentile(99),
        latency:percentile(99.9), latency.max))
end
