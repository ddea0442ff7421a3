-- Lease up to `count` of the candidates to a holder, atomically.
-- KEYS: the holder's open leases, what the holder took, the open leases of all browsers without an account at the
--       holder's address, then one set of live leases for each candidate image.
-- ARGV: now (ms), life of a lease (ms), count, most open leases, free leases, leases per rating, a day (s),
--       dataset, most open leases at an address (0: the holder is not such a browser), least time between leases
--       of one who has taken too many (ms), then for each candidate: image, new lease, ratings still needed.
-- Returns the members granted, and 1 when the holder may take nothing new just now.
local holder, took, crowd = KEYS[1], KEYS[2], KEYS[3]
local now, live, count, cap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local free, per_rating, day, dataset = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local crowd_cap, trickle = tonumber(ARGV[9]), tonumber(ARGV[10])
local FIRST_KEY, FIRST_ARG = 4, 11
local ending = now + live

local function open_count(key)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
    return redis.call('ZCARD', key)
end

local open = open_count(holder)
local held = {}
for _, member in ipairs(redis.call('ZRANGE', holder, 0, -1)) do held[string.sub(member, 1, 32)] = true end
local counts = redis.call('HMGET', took, 'leases', 'ratings', 'last')
local allowed = free + per_rating * tonumber(counts[2] or 0) - tonumber(counts[1] or 0)
if allowed <= 0 and open == 0 and now - tonumber(counts[3] or 0) >= trickle then allowed = 1 end
local room = math.min(count, cap - open, allowed)
if crowd_cap > 0 then room = math.min(room, crowd_cap - open_count(crowd)) end

local granted = {}
for i = FIRST_KEY, room > 0 and #KEYS or 0 do
    local at = FIRST_ARG + (i - FIRST_KEY) * 3
    local image, lease, need = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2])
    if not held[image] and open_count(KEYS[i]) < need then
        local member = image .. lease .. dataset
        redis.call('ZADD', KEYS[i], ending, lease)
        redis.call('PEXPIREAT', KEYS[i], ending)
        redis.call('ZADD', holder, ending, member)
        if crowd_cap > 0 then redis.call('ZADD', crowd, ending, member) end
        held[image] = true
        table.insert(granted, member)
        if #granted >= room then break end
    end
end
if #granted > 0 then
    redis.call('PEXPIREAT', holder, ending)
    if crowd_cap > 0 then redis.call('PEXPIREAT', crowd, ending) end
    redis.call('HINCRBY', took, 'leases', #granted)
    redis.call('HSET', took, 'last', now)
    redis.call('EXPIRE', took, day, 'NX')
end
return {granted, room > 0 and 0 or 1}
