-- unsaved-kept.lua   KEYS 1 unsaved writes (zset by the instant of the write)
-- ARGV 1 least age in ms  2 limit                 Returns the oldest writes
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
return redis.call('ZRANGE', KEYS[1], '-inf', now - ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2])
