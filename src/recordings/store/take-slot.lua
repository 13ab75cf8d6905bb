-- take-slot.lua   KEYS 1 room slot  2 slots by age  3 recording  4 epoch (the mark that Redis is whole)
-- ARGV 1 room  2 recording that holds it by its own row  3 rev of that recording  4 now
-- Returns 1 taken, 0 held already or moved on, -1 Redis is not whole
-- include recording-row.inc.lua
if redis.call('EXISTS', KEYS[4]) == 0 then return -1 end
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
if revOf(KEYS[3]) ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], 'recording', ARGV[2], 'since', ARGV[4])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return 1
