-- keep-unsettled.lua   KEYS 1 recording  2 unsettled  3 epoch (the mark that Redis is whole)
-- ARGV 1 recording  2 its rev
-- Returns 1 kept, 0 moved on, -1 Redis is not whole
-- include recording-row.inc.lua
if redis.call('EXISTS', KEYS[3]) == 0 then return -1 end
if revOf(KEYS[1]) ~= ARGV[2] then return 0 end
redis.call('ZADD', KEYS[2], 0, ARGV[1])
return 1
