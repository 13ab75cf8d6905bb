-- settle-delivery.lua: what came of one attempt.
-- KEYS 1 delivery  2 lane (list)  3 due lanes (zset)  4 deliveries that go (zset by when)  5 endpoints' health (hash)
-- ARGV 1 id  2 endpoint  3 lane  4 document before  5 document after  6 status after  7 when the lane is due  8 prefix of our keys  9 now
--      10 how long it is kept, in ms  11 '1' it was delivered  12 most delivered ones to keep of an endpoint
-- Returns { 1 settled or 0 another was faster, since when the endpoint fails or '' }
if redis.call('GET', KEYS[1]) ~= ARGV[4] then return { 0, redis.call('HGET', KEYS[5], ARGV[2]) or '' } end
local of = ARGV[8] .. 'of:' .. ARGV[2] .. ':'
redis.call('SET', KEYS[1], ARGV[5])
if ARGV[11] == '1' then redis.call('HDEL', KEYS[5], ARGV[2]) else redis.call('HSETNX', KEYS[5], ARGV[2], ARGV[9]) end
if ARGV[6] == 'PENDING' then
  redis.call('ZADD', KEYS[3], ARGV[7], ARGV[3])
else
  redis.call('ZREM', of .. 'PENDING', ARGV[1])
  redis.call('ZADD', of .. ARGV[6], 0, ARGV[1])
  redis.call('ZADD', KEYS[4], ARGV[9] + ARGV[10], ARGV[2] .. ' ' .. ARGV[6] .. ' ' .. ARGV[1])
  redis.call('LREM', KEYS[2], 1, ARGV[1])
  if redis.call('EXISTS', KEYS[2]) == 1 then
    redis.call('ZADD', KEYS[3], ARGV[9], ARGV[3])
  else
    redis.call('ZREM', KEYS[3], ARGV[3])
  end
  if ARGV[6] == 'DELIVERED' then
    local extra = redis.call('ZCARD', of .. 'DELIVERED') - tonumber(ARGV[12])
    if extra > 0 then
      for _, id in ipairs(redis.call('ZRANGE', of .. 'DELIVERED', 0, math.min(extra, 100) - 1)) do
        redis.call('ZREM', of .. 'DELIVERED', id)
        redis.call('ZREM', KEYS[4], ARGV[2] .. ' DELIVERED ' .. id)
        redis.call('DEL', ARGV[8] .. 'delivery:' .. id)
      end
    end
  end
end
return { 1, redis.call('HGET', KEYS[5], ARGV[2]) or '' }
