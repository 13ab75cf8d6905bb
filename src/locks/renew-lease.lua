-- renew-lease.lua   KEYS 1 lease (hash)
-- ARGV 1 token  2 ttl in ms                       Returns until in ms of this server, or nil: lost
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[1] then return nil end
local time = redis.call('TIME')
local untilMs = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(ARGV[2])
redis.call('HSET', KEYS[1], 'until', untilMs)
redis.call('PEXPIREAT', KEYS[1], untilMs)
return untilMs
