-- recording.inc.lua: what belongs to a row and changes with it, whether a commit or a restore writes it.
local function takeSlot(slot, slots, step)
  redis.call('HSET', slot, 'recording', step.id, 'since', step.now)
  redis.call('ZADD', slots, step.now, step.room)
end

local function freeSlot(slot, slots, step)
  if redis.call('HGET', slot, 'recording') ~= step.id then return end
  redis.call('DEL', slot)
  redis.call('ZREM', slots, step.room)
end

-- ARGV 2 index entries (json): [[key number, score]] to add  3 key numbers (json) to remove from  4 effects (json): entries of the outbox
local function writeAround(step, unsettled, outbox)
  if step.unsettled then
    redis.call('ZADD', unsettled, 0, step.id)
  else
    redis.call('ZREM', unsettled, step.id)
  end
  for _, entry in ipairs(cjson.decode(ARGV[2])) do redis.call('ZADD', KEYS[entry[1]], entry[2], step.id) end
  for _, number in ipairs(cjson.decode(ARGV[3])) do redis.call('ZREM', KEYS[number], step.id) end
  for _, entry in ipairs(cjson.decode(ARGV[4])) do redis.call('ZADD', outbox, step.now, entry) end
end
