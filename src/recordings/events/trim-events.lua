-- trim-events.lua: drops events older than the given id and remembers the last one that was dropped.
-- KEYS 1 event stream  2 floor     ARGV 1 stream id: older ones go     Returns the floor, or ''
local dropped = redis.call('XREVRANGE', KEYS[1], '(' .. ARGV[1], '-', 'COUNT', 1)[1]
if dropped then
  redis.call('SET', KEYS[2], dropped[1])
  redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1])
end
return redis.call('GET', KEYS[2]) or ''
