-- forget-endpoint.lua: what belongs to an endpoint that was deleted, some of it at a time.
-- KEYS 1 due lanes (zset)  2 deliveries that go (zset)  3 endpoints' health (hash)
-- ARGV 1 endpoint  2 prefix of our keys  3 most     Returns how much went; 0: nothing is left
local gone = 0
for _, status in ipairs({ 'PENDING', 'DELIVERED', 'FAILED' }) do
  local of = ARGV[2] .. 'of:' .. ARGV[1] .. ':' .. status
  for _, id in ipairs(redis.call('ZRANGE', of, 0, ARGV[3] - 1)) do
    redis.call('DEL', ARGV[2] .. 'delivery:' .. id)
    redis.call('ZREM', of, id)
    redis.call('ZREM', KEYS[2], ARGV[1] .. ' ' .. status .. ' ' .. id)
    gone = gone + 1
  end
end
for _, lane in ipairs(redis.call('ZRANGE', KEYS[1], 0, ARGV[3] - 1)) do
  redis.call('DEL', ARGV[2] .. 'lane:' .. ARGV[1] .. ':' .. lane)
  redis.call('ZREM', KEYS[1], lane)
  gone = gone + 1
end
redis.call('HDEL', KEYS[3], ARGV[1])
return gone
