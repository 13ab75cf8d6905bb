-- commit-kept.lua: one step of one document, all or nothing.
-- KEYS 1 documents (hash)  2 handles (hash)  3 unsaved writes (zset)  4 epoch (the mark that Redis is whole)  5 rebuild  6.. the keys of further commands
-- ARGV 1 id  2 expected rev, '' where there must be no document  3 new rev  4 document (json), '' removes it
--      5 handles to add (json)  6 handles to remove (json)  7 name of the write among the unsaved  8 token of the rebuild that reads it from the bucket, '' for none
--      9 further commands (json): [name, rest of the arguments...], one per remaining key  10 most documents, 0 for any number
-- Returns 1 done, 0 moved on, 2 too many, -1 Redis is not whole, -2 the rebuild is another's, or is over
local whole = redis.call('EXISTS', KEYS[4]) == 1
if ARGV[8] == '' then
  if not whole then return -1 end
elseif whole or redis.call('HGET', KEYS[5], 'token') ~= ARGV[8] then
  return -2
end

local row = redis.call('HGET', KEYS[1], ARGV[1])
local rev = row and cjson.decode(row).rev or ''
-- The same command again: its first answer was lost on the way.
if rev == ARGV[3] then return 1 end
if rev ~= ARGV[2] then return 0 end
local most = tonumber(ARGV[10])
if not row and most > 0 and redis.call('HLEN', KEYS[1]) >= most then return 2 end

for _, handle in ipairs(cjson.decode(ARGV[6])) do redis.call('HDEL', KEYS[2], handle) end
if ARGV[4] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[4])
  for _, handle in ipairs(cjson.decode(ARGV[5])) do redis.call('HSET', KEYS[2], handle, ARGV[1]) end
end
for i, command in ipairs(cjson.decode(ARGV[9])) do redis.call(command[1], KEYS[5 + i], unpack(command, 2)) end
if ARGV[8] == '' then
  local time = redis.call('TIME')
  redis.call('ZADD', KEYS[3], time[1] * 1000 + math.floor(time[2] / 1000), ARGV[7])
end
return 1
