-- create-bulk-deletion.lua: carries out the commands that make one, if its caller has a place for it.
-- KEYS 1 epoch  2 what the caller has under way (zset)  and every key that a command names
-- ARGV 1 how many the caller may have under way; then each command as its length and its words
-- Returns 1; 0 where the caller has too many; -1 where the epoch is missing
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[1]) then return 0 end
local at = 2
while at <= #ARGV do
  local length = tonumber(ARGV[at])
  redis.call(unpack(ARGV, at + 1, at + length))
  at = at + length + 1
end
return 1
