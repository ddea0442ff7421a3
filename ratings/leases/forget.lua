-- Take a lease off the book: it was used, or given back.
-- KEYS: the holder's open leases, the live leases of the image, what the holder took, the open leases of all browsers
--       without an account at the holder's address.
-- ARGV: the member, the lease, 1 if the image was rated, a day (s), 1 if the holder is such a browser.
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[2])
if ARGV[5] == '1' then redis.call('ZREM', KEYS[4], ARGV[1]) end
if ARGV[3] == '1' then
    redis.call('HINCRBY', KEYS[3], 'ratings', 1)
    redis.call('EXPIRE', KEYS[3], ARGV[4], 'NX')
end
