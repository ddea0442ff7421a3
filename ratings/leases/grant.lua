-- Lease up to `count` of the candidates to a holder, atomically.
-- KEYS: the holder's open leases, what the holder took, then one set of live leases for each candidate image.
-- ARGV: now (ms), life of a lease (ms), count, most open leases, free leases, leases per rating, a day (s),
--       dataset, then for each candidate: image, new lease, ratings still needed.
-- Returns the members granted, and 1 when the holder may take nothing new just now.
local holder, took = KEYS[1], KEYS[2]
local now, live, count, cap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local free, per_rating, day, dataset = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local ending = now + live
redis.call('ZREMRANGEBYSCORE', holder, '-inf', now)
local open = redis.call('ZRANGE', holder, 0, -1)
local held = {}
for _, member in ipairs(open) do held[string.sub(member, 1, 32)] = true end
local counts = redis.call('HMGET', took, 'leases', 'ratings')
local allowed = free + per_rating * tonumber(counts[2] or 0) - tonumber(counts[1] or 0)
local room = math.min(count, cap - #open, allowed)
local granted = {}
if room > 0 then
    for i = 3, #KEYS do
        local at = 9 + (i - 3) * 3
        local image, lease, need = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
        if not held[image] then
            redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now)
            if redis.call('ZCARD', KEYS[i]) < need then
                redis.call('ZADD', KEYS[i], ending, lease)
                redis.call('PEXPIREAT', KEYS[i], ending)
                redis.call('ZADD', holder, ending, image .. lease .. dataset)
                held[image] = true
                table.insert(granted, image .. lease .. dataset)
                if #granted >= room then break end
            end
        end
    end
    if #granted > 0 then
        redis.call('PEXPIREAT', holder, ending)
        redis.call('HINCRBY', took, 'leases', #granted)
        redis.call('EXPIRE', took, day, 'NX')
    end
end
return {granted, room > 0 and 0 or 1}
