-- acquire-lease.lua   KEYS 1 lease (hash)  2 names of leases (zset by the instant of acquisition)
-- ARGV 1 name  2 owner  3 token  4 ttl in ms      Returns {since, until} in ms of this server, or nil: held by another
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'token', 'since')
local since = now
if held[1] then
  if held[1] ~= ARGV[3] then return nil end
  -- The same request again: its first answer was lost on the way.
  since = tonumber(held[2])
end
redis.call('HSET', KEYS[1], 'owner', ARGV[2], 'token', ARGV[3], 'since', since, 'until', now + ARGV[4])
redis.call('PEXPIREAT', KEYS[1], now + ARGV[4])
redis.call('ZADD', KEYS[2], since, ARGV[1])
return { since, now + tonumber(ARGV[4]) }
