-- recording.inc.lua: what belongs to a row and changes with it, whether a commit or a restore writes it.
-- include postings.inc.lua
local function takeSlot(slot, slots, step)
  redis.call('HSET', slot, 'recording', step.id, 'since', step.now)
  redis.call('ZADD', slots, step.now, step.room)
end

local function freeSlot(slot, slots, step)
  if redis.call('HGET', slot, 'recording') ~= step.id then return end
  redis.call('DEL', slot)
  redis.call('ZREM', slots, step.room)
end

-- As many as are surely taken in one call.
local MOST_AT_ONCE = 1000
local function addAll(key, scoresAndMembers)
  for from = 1, #scoresAndMembers, MOST_AT_ONCE do
    redis.call('ZADD', key, unpack(scoresAndMembers, from, math.min(from + MOST_AT_ONCE - 1, #scoresAndMembers)))
  end
end

-- ARGV 2 index entries (json): [[key number, score]] to add  3 key numbers (json) to remove from  4 effects (json): entries of the outbox
--      5 what it is found by (json): key (number of the first of the three keys of postings.inc.lua), add and remove (words)
local search = cjson.decode(ARGV[5])
local function writeAround(step, unsettled, outbox)
  if step.unsettled then
    redis.call('ZADD', unsettled, 0, step.id)
  else
    redis.call('ZREM', unsettled, step.id)
  end
  for _, entry in ipairs(cjson.decode(ARGV[2])) do redis.call('ZADD', KEYS[entry[1]], entry[2], step.id) end
  for _, number in ipairs(cjson.decode(ARGV[3])) do redis.call('ZREM', KEYS[number], step.id) end
  local entries = {}
  for _, entry in ipairs(cjson.decode(ARGV[4])) do
    entries[#entries + 1] = step.now
    entries[#entries + 1] = entry
  end
  addAll(outbox, entries)
  changePostings(KEYS[search.key], KEYS[search.key + 1], KEYS[search.key + 2], step.id, search.add, search.remove)
end
