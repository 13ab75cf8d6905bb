-- free-slot.lua   KEYS 1 room slot  2 slots by age  3 recording  4 epoch (the mark that Redis is whole)
-- ARGV 1 room  2 recording that is thought to hold it  3 rev of that recording, '' where there is none
-- Returns 1 freed, 0 moved on, -1 Redis is not whole
-- include recording-row.inc.lua
if redis.call('EXISTS', KEYS[4]) == 0 then return -1 end
if redis.call('HGET', KEYS[1], 'recording') ~= ARGV[2] then return 0 end
if revOf(KEYS[3]) ~= ARGV[3] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
