-- file-deliveries.lua: deliveries are filed in the step that moves on in the log they come from, so that none is lost and none filed twice.
-- KEYS 1 epoch (the mark that Redis is whole)  2 places in the logs (hash)
-- ARGV 1 log  2 place that was read from, '' none  3 place that was read to, '' where no place moves on  4 prefix of our keys  5 now
--      6 deliveries (json): [{ id, endpoint, lane, doc, status? }]
-- Returns 1 filed, 0 another was faster, -1 Redis is not whole
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
if ARGV[3] ~= '' then
  if (redis.call('HGET', KEYS[2], ARGV[1]) or '') ~= ARGV[2] then return 0 end
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
end
local prefix = ARGV[4]
for _, delivery in ipairs(cjson.decode(ARGV[6])) do
  redis.call('SET', prefix .. 'delivery:' .. delivery.id, delivery.doc)
  redis.call('ZADD', prefix .. 'of:' .. delivery.endpoint .. ':PENDING', 0, delivery.id)
  redis.call('RPUSH', prefix .. 'lane:' .. delivery.endpoint .. ':' .. delivery.lane, delivery.id)
  -- A lane that waits goes on waiting: what comes later is held back with what failed.
  redis.call('ZADD', prefix .. 'due:' .. delivery.endpoint, 'NX', ARGV[5], delivery.lane)
end
return 1
