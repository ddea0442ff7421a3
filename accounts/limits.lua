-- Take one from each of several limits, or from none of them.
-- KEYS: one for each limit. It holds when its bucket will be empty (microseconds); each request adds an interval.
-- ARGV: now (microseconds), 1 to take or 0 to look only, then for each limit: interval (microseconds), burst, and
--       how long the key lives (ms).
-- Returns 1 when all of them let the request pass, else 0; then for each how full its bucket is now (microseconds).
local now, takes, passes, filled = tonumber(ARGV[1]), ARGV[2] == '1', 1, {}

for i, value in ipairs(redis.call('MGET', unpack(KEYS))) do
    local interval, burst = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
    filled[i] = math.max((tonumber(value or now)) - now, 0)
    if filled[i] + interval > burst * interval then passes = 0 end
end

for i, key in ipairs(takes and passes == 1 and KEYS or {}) do
    filled[i] = filled[i] + tonumber(ARGV[3 * i])
    redis.call('SET', key, string.format('%.0f', now + filled[i]), 'PX', ARGV[3 * i + 2])
end
return {passes, unpack(filled)}
