-- settle-kept.lua   KEYS 1 documents (hash)  2 unsaved writes (zset)
-- ARGV 1 id  2 rev that the bucket holds, '' for none  3.. names of the writes to settle
-- Returns 1 settled, 0 moved on: the bucket holds an older state
local row = redis.call('HGET', KEYS[1], ARGV[1])
local rev = row and cjson.decode(row).rev or ''
if rev ~= ARGV[2] then return 0 end
for i = 3, #ARGV do redis.call('ZREM', KEYS[2], ARGV[i]) end
return 1
