-- forget-deliveries.lua: deliveries whose time is over.
-- KEYS 1 deliveries that go (zset by when)   ARGV 1 now  2 most  3 prefix of our keys     Returns how many went
local gone = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
for _, entry in ipairs(gone) do
  local endpoint, status, id = string.match(entry, '^(%S+) (%S+) (%S+)$')
  redis.call('DEL', ARGV[3] .. 'delivery:' .. id)
  redis.call('ZREM', ARGV[3] .. 'of:' .. endpoint .. ':' .. status, id)
  redis.call('ZREM', KEYS[1], entry)
end
return #gone
