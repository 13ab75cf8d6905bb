-- resend-delivery.lua: a delivery is sent once more, after what waits in its lane.
-- KEYS 1 delivery  2 lane (list)  3 due lanes (zset)  4 deliveries that go (zset)
-- ARGV 1 id  2 endpoint  3 lane  4 document before  5 document after  6 status before  7 prefix of our keys  8 now
-- Returns 1, or 0: it changed meanwhile
if redis.call('GET', KEYS[1]) ~= ARGV[4] then return 0 end
redis.call('SET', KEYS[1], ARGV[5])
local of = ARGV[7] .. 'of:' .. ARGV[2] .. ':'
if ARGV[6] ~= 'PENDING' then
  redis.call('ZREM', of .. ARGV[6], ARGV[1])
  redis.call('ZREM', KEYS[4], ARGV[2] .. ' ' .. ARGV[6] .. ' ' .. ARGV[1])
  redis.call('ZADD', of .. 'PENDING', 0, ARGV[1])
  redis.call('RPUSH', KEYS[2], ARGV[1])
  redis.call('ZADD', KEYS[3], 'NX', ARGV[8], ARGV[3])
else
  -- It waits already: now, rather than when its next try would be.
  redis.call('ZADD', KEYS[3], ARGV[8], ARGV[3])
end
return 1
