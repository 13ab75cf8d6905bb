-- step-rebuild.lua   KEYS 1 epoch (the mark that Redis is whole)  2 rebuild (hash)  3.. keys to remove
-- ARGV 1 token  2 'note' | 'clear' | 'finish'  3.. fields to note and their values
-- Returns 1, or 0: the rebuild is another's, or is over
if redis.call('EXISTS', KEYS[1]) == 1 or redis.call('HGET', KEYS[2], 'token') ~= ARGV[1] then return 0 end
if ARGV[2] == 'note' then
  redis.call('HSET', KEYS[2], unpack(ARGV, 3))
elseif ARGV[2] == 'clear' then
  for i = 3, #KEYS do redis.call('UNLINK', KEYS[i]) end
else
  redis.call('SET', KEYS[1], redis.call('HGET', KEYS[2], 'epoch'))
  redis.call('DEL', KEYS[2])
end
return 1
