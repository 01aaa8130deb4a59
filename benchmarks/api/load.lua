-- One route, driven as fast as the server answers. Arguments: route, tokens file, address or slots file,
-- first request's number, prefix of the keys. Prints one line of JSON: counts by status, latencies, time.

local function lines_of(path)
  local found = {}
  for line in io.lines(path) do
    found[#found + 1] = line
  end
  return found
end

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
end

function init(args)
  route, tokens, number, prefix = args[1], lines_of(args[2]), tonumber(args[4]), args[5]
  if route == "create" then
    slots = lines_of(args[3])
  else
    address = args[3]
  end
  counts, bodies = "", 0
  statuses = {}
end

function request()
  local headers = {
    ["Authorization"] = "Bearer " .. tokens[number % #tokens + 1],
    ["Host"] = "club.example.com",
    ["X-Forwarded-Proto"] = "https",
    ["X-Forwarded-For"] = "127.0.0.1",
  }
  local at = number
  number = number + 1
  if route ~= "create" then
    return wrk.format("GET", address, headers)
  end
  headers["Content-Type"] = "application/json"
  headers["Idempotency-Key"] = prefix .. at
  -- Past the last slot the same ones again: each answers 409, and the run fails.
  return wrk.format("POST", "/api/v1/reservations", headers, slots[at % #slots + 1])
end

function response(status, _, body)
  statuses[status] = (statuses[status] or 0) + 1
  bodies = bodies + #body
  local parts = {}
  for one, count in pairs(statuses) do
    parts[#parts + 1] = string.format('"%d": %d', one, count)
  end
  counts = table.concat(parts, ", ")
end

function done(summary, latency, _)
  local bytes = 0
  for _, thread in ipairs(threads) do
    bytes = bytes + thread:get("bodies")
  end
  local errors = summary.errors
  io.write(string.format(
    '{"statuses": {%s}, "requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f,'
      .. ' "socket_errors": %d, "body_bytes": %d}\n',
    threads[1]:get("counts"), summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3,
    errors.connect + errors.read + errors.write + errors.timeout, bytes
  ))
end
