-- Asks for one file after the other: lines of "path<TAB>token" in the first argument.
local asks, at = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local path, token = line:match("^(%S+)\t(%S*)$")
    local headers = { ["X-Forwarded-Proto"] = "https", ["Host"] = "127.0.0.1" }
    if token ~= "" then headers["Authorization"] = "Bearer " .. token end
    asks[#asks + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  at = at % #asks + 1
  return asks[at]
end

function done(summary, latency)
  io.write(string.format(
    '{"requests":%d,"seconds":%.6f,"bytes":%d,"p50_ms":%.3f,"p99_ms":%.3f,"errors":%d}\n',
    summary.requests, summary.duration / 1e6, summary.bytes, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, summary.errors.connect + summary.errors.read + summary.errors.write
      + summary.errors.status + summary.errors.timeout))
end
