-- begin-rebuild.lua   KEYS 1 epoch (the mark that Redis is whole)  2 rebuild (hash)
-- ARGV 1 token of who does it from now on  2 name of the event log that begins with its end  3 now
-- Returns nil: Redis is whole; else the fields of the rebuild and their values
if redis.call('EXISTS', KEYS[1]) == 1 then return nil end
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('HSET', KEYS[2], 'epoch', ARGV[2], 'startedAt', ARGV[3], 'phase', 'clear', 'after', '', 'rooms', 0, 'recordings', 0, 'faults', 0)
end
redis.call('HSET', KEYS[2], 'token', ARGV[1])
return redis.call('HGETALL', KEYS[2])
