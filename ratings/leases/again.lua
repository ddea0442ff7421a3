-- Hand out once more the image of a dataset that a holder has held longest, and put it at the end of the queue.
-- KEYS: the holder's open leases. ARGV: now (ms), life of a lease (ms), least age (ms), dataset, then the images that
--       are considered (none: all of the dataset).
-- Returns the member, or false when there is none of that age.
local holder = KEYS[1]
local now, live, age, dataset = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local ending = now + live
local wanted = {}
for i = 5, #ARGV do wanted[ARGV[i]] = true end
for _, member in ipairs(redis.call('ZRANGE', holder, string.format('(%d', now), ending - age, 'BYSCORE')) do
    if string.sub(member, 65) == dataset and (#ARGV < 5 or wanted[string.sub(member, 1, 32)]) then
        redis.call('ZADD', holder, ending, member)
        redis.call('PEXPIREAT', holder, ending)
        local image = 'kudoscope:image:' .. string.sub(member, 1, 32)
        redis.call('ZADD', image, ending, string.sub(member, 33, 64))
        redis.call('PEXPIREAT', image, ending)
        return member
    end
end
return false
