-- Lease up to `count` of the candidates to a holder, atomically.
-- KEYS: the holder's open leases, what the holder took, the open leases of all browsers without an account at the
--       holder's address, the groups of the images handed out last, then one set of live leases for each candidate.
-- ARGV: now (ms), life of a lease (ms), count, most open leases, free leases, leases per rating, a day (s),
--       dataset, most open leases at an address (0: the holder is not such a browser), least time between leases
--       of one who has taken too many (ms), places between two images of one group (0: any may be given), groups to
--       remember, then for each candidate: image, new lease, ratings still needed, group ("-" for none).
-- Returns the members granted, 1 when the holder may take nothing new just now, and how many were too near.
local holder, took, crowd = KEYS[1], KEYS[2], KEYS[3]
local now, live, count, cap = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local free, per_rating, day, dataset = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7]), ARGV[8]
local crowd_cap, trickle = tonumber(ARGV[9]), tonumber(ARGV[10])
local groups, apart, remembered = KEYS[4], tonumber(ARGV[11]), tonumber(ARGV[12])
local FIRST_KEY, FIRST_ARG = 5, 13
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

local recent, near = redis.call('LRANGE', groups, 0, remembered - 1), 0
local function is_near(group)
    for i = 1, group ~= '-' and math.min(apart, #recent) or 0 do
        if recent[i] == group then return true end
    end
    return false
end

local granted = {}
for i = FIRST_KEY, room > 0 and #KEYS or 0 do
    local at = FIRST_ARG + (i - FIRST_KEY) * 4
    local image, lease, need, group = ARGV[at], ARGV[at + 1], tonumber(ARGV[at + 2]), ARGV[at + 3]
    if is_near(group) then
        near = near + 1
    elseif not held[image] and open_count(KEYS[i]) < need then
        local member = image .. lease .. dataset
        redis.call('ZADD', KEYS[i], ending, lease)
        redis.call('PEXPIREAT', KEYS[i], ending)
        redis.call('ZADD', holder, ending, member)
        if crowd_cap > 0 then redis.call('ZADD', crowd, ending, member) end
        held[image] = true
        table.insert(recent, 1, group)
        redis.call('LPUSH', groups, group)
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
    redis.call('LTRIM', groups, 0, remembered - 1)
    redis.call('EXPIRE', groups, day)
end
return {granted, room > 0 and 0 or 1, near}
