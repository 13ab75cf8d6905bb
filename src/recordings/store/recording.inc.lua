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

-- `search`: row (the field `found`), key (number of the words' key), add and remove (words)
local function writeSearch(step, row, search)
  if not step.remove then redis.call('HSET', row, 'found', search.row) end
  local added = {}
  for _, word in ipairs(search.add) do
    added[#added + 1] = 0
    added[#added + 1] = word .. '\0' .. step.id
    -- As many as are surely taken in one call.
    if #added >= 1000 then redis.call('ZADD', KEYS[search.key], unpack(added)) added = {} end
  end
  if #added > 0 then redis.call('ZADD', KEYS[search.key], unpack(added)) end
  for _, word in ipairs(search.remove) do redis.call('ZREM', KEYS[search.key], word .. '\0' .. step.id) end
end

-- ARGV 2 index entries (json): [[key number, score]] to add  3 key numbers (json) to remove from  4 effects (json): entries of the outbox
--      5 what it is found by (json), see writeSearch
local function writeAround(step, unsettled, outbox)
  if step.unsettled then
    redis.call('ZADD', unsettled, 0, step.id)
  else
    redis.call('ZREM', unsettled, step.id)
  end
  for _, entry in ipairs(cjson.decode(ARGV[2])) do redis.call('ZADD', KEYS[entry[1]], entry[2], step.id) end
  for _, number in ipairs(cjson.decode(ARGV[3])) do redis.call('ZREM', KEYS[number], step.id) end
  for _, entry in ipairs(cjson.decode(ARGV[4])) do redis.call('ZADD', outbox, step.now, entry) end
  writeSearch(step, KEYS[1], cjson.decode(ARGV[5]))
end
