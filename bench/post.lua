-- wrk script: one fixed request, every answer checked; settings come from the environment, the result leaves as one JSON line
local threads = {}
wrong = 0

function setup(thread)
  table.insert(threads, thread)
end

function init(args)
  expected = os.getenv("BENCH_EXPECTED")
  right_status = tonumber(os.getenv("BENCH_STATUS"))
  wrk.method = os.getenv("BENCH_METHOD")
  wrk.body = os.getenv("BENCH_BODY")
  for name, value in string.gmatch(os.getenv("BENCH_HEADERS"), "([^:\n]+): ([^\n]+)") do
    wrk.headers[name] = value
  end
  request_bytes = wrk.format()
end

function request()
  return request_bytes
end

function response(status, headers, body)
  if status ~= right_status or not string.find(body, expected, 1, true) then
    wrong = wrong + 1
  end
end

function done(summary, latency)
  local bad = 0
  for _, thread in ipairs(threads) do
    bad = bad + thread:get("wrong")
  end
  local errors = summary.errors
  io.write(string.format(
    '{"answers":%d,"wrong":%d,"microseconds":%d,"p50":%d,"p99":%d,"errors":%d}\n', summary.requests, bad,
    summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.timeout))
end
