-- commit-room.lua   KEYS 1 room (json)  2 ids of rooms (zset by lex)  3 names (hash)  4 changes (stream)  5 unsaved writes (zset)
--      6 epoch (the mark that Redis is whole)  7 rebuild  8 lately deleted (zset by the instant)
--      9.. what must hold nothing, then the keys of further commands
-- ARGV 1 id  2 expected rev, '' where there must be no room  3 new rev  4 room (json), '' removes it  5 folded name
--      6 '1' a write that the bucket doesn't hold yet, '0' one that was read from the bucket, also while Redis is not whole
--      7 how many keys must hold nothing  8 further commands (json): [name, rest of the arguments…], one per remaining key
--      9 token of the rebuild that reads it from the bucket, '' for none  10 '1' a deletion that is remembered, '0' none
-- Returns 1 done, 0 moved on, 2 held, -1 Redis is not whole, -2 the rebuild is another's, or is over
local whole = redis.call('EXISTS', KEYS[6]) == 1
if ARGV[6] == '1' and not whole then return -1 end
if ARGV[9] ~= '' and (whole or redis.call('HGET', KEYS[7], 'token') ~= ARGV[9]) then return -2 end

local function rev_of(row)
  return row and cjson.decode(row).rev or ''
end

local rev = rev_of(redis.call('GET', KEYS[1]))
-- The same command again: its first answer was lost on the way.
if rev == ARGV[3] then return 1 end
if rev ~= ARGV[2] then return 0 end

local guards = tonumber(ARGV[7])
for i = 9, 8 + guards do
  if redis.call('EXISTS', KEYS[i]) == 1 then return 2 end
end
for i, command in ipairs(cjson.decode(ARGV[8])) do
  redis.call(command[1], KEYS[8 + guards + i], unpack(command, 2))
end

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[4] == '' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[3], ARGV[1])
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', 'id', ARGV[1])
  if ARGV[10] == '1' then redis.call('ZADD', KEYS[8], now, ARGV[1]) end
  redis.call('ZREMRANGEBYSCORE', KEYS[8], '-inf', now - 30 * 86400000)
  redis.call('ZREMRANGEBYRANK', KEYS[8], 0, -100001)
else
  redis.call('SET', KEYS[1], ARGV[4])
  redis.call('ZADD', KEYS[2], 0, ARGV[1])
  redis.call('HSET', KEYS[3], ARGV[1], ARGV[5])
  redis.call('XADD', KEYS[4], 'MAXLEN', '~', 10000, '*', 'id', ARGV[1], 'name', ARGV[5])
  redis.call('ZREM', KEYS[8], ARGV[1])
end
if ARGV[6] == '1' then
  redis.call('ZADD', KEYS[5], now, ARGV[1] .. ' ' .. ARGV[3])
end
return 1
