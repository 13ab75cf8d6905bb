-- select-recordings.lua: a page of what several conditions leave of a bounded number of recordings.
-- KEYS 1 epoch  2 event stream  3.. indexes
-- ARGV 1 query (json): sources [{ conditions (each as the numbers of the keys of which one has to hold the id), value (key number or 0) }], min, max, desc, want, most, after { phase, score, id } or null, prefix
-- Returns {'redis-was-reset'} | {'too-many'} | what page-recordings.lua returns; phase 1 has a value, phase 2 none
local query = cjson.decode(ARGV[1])
-- include list.inc.lua
if not readEpoch() then return { 'redis-was-reset' } end

-- Of each source, the condition that the fewest hold is gone through.
local candidates, bases = 0, {}
for _, source in ipairs(query.sources) do
  local fewest, base = nil, nil
  for number, keys in ipairs(source.conditions) do
    local count = 0
    for _, key in ipairs(keys) do count = count + redis.call('ZCOUNT', KEYS[key], query.min, query.max) end
    if not fewest or count < fewest then fewest, base = count, number end
    if count == 0 then break end
  end
  candidates = candidates + fewest
  if fewest > 0 then
    local also = {}
    for number, keys in ipairs(source.conditions) do if number ~= base then also[#also + 1] = keys end end
    for _, key in ipairs(source.conditions[base]) do bases[#bases + 1] = { key = key, also = also, value = source.value } end
  end
end
if candidates > query.most then return { 'too-many' } end

local after = query.after and { phase = query.after.phase, score = tonumber(query.after.score), id = query.after.id }
local matched, left, best = 0, 0, {}
local function choose(most)
  matched, left, best = 0, 0, {}
  for _, source in ipairs(bases) do
    local pairs_ = redis.call('ZRANGE', KEYS[source.key], query.min, query.max, 'BYSCORE', 'WITHSCORES')
    local all, ids, texts = {}, {}, {}
    for i = 1, #pairs_, 2 do
      all[#all + 1] = pairs_[i]
      texts[pairs_[i]] = pairs_[i + 1]
    end
    local met = meeting(source.also, all)
    -- In the order that is asked for, so that what comes later is mostly behind what is there.
    for i = query.desc and #all or 1, query.desc and 1 or #all, query.desc and -1 or 1 do
      if met[all[i]] then ids[#ids + 1] = all[i] end
    end
    local values = (source.value ~= 0 and #ids > 0) and scoresOf(KEYS[source.value], ids) or nil
    matched = matched + #ids
    for i, id in ipairs(ids) do
      local text, phase = texts[id], 1
      if values then
        if values[i] then text = values[i] else phase = 2 end
      end
      local item = { id = id, score = tonumber(text), text = text, phase = phase }
      if not after or before(after, item) then
        left = left + 1
        keepBest(best, item, most, before)
      end
    end
  end
end
local most, given, looked, to = query.want, 0, 0, nil
local gone, rows, place = {}, {}, {}
repeat
  choose(most)
  gone, rows = {}, {}
  given, looked, to = giveRows(best, 1, query.want, rows, gone)
  -- Rows that are gone are passed over: more are chosen where that leaves too few.
  most = most * 2
until given == query.want or looked == left
if to then put(place, to) end
return { epoch, lastEventId(KEYS[2]), matched, matched, looked, looked == left and 1 or 0, place, gone, rows }
