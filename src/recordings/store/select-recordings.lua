-- select-recordings.lua: a page of what several conditions leave of a bounded number of recordings.
-- KEYS 1 epoch  2 event stream  3.. indexes
-- ARGV 1 query (json): sources [{ key, also (conditions), value (key number or 0) }], min, max, desc, want, most, after { phase, score, id } or null, prefix
-- Returns {'redis-was-reset'} | {'too-many'} | what page-recordings.lua returns; phase 1 has a value, phase 2 none
local query = cjson.decode(ARGV[1])
-- include list.inc.lua
if not readEpoch() then return { 'redis-was-reset' } end

local candidates = 0
for _, source in ipairs(query.sources) do candidates = candidates + redis.call('ZCOUNT', KEYS[source.key], query.min, query.max) end
if candidates > query.most then return { 'too-many' } end

local items = {}
for _, source in ipairs(query.sources) do
  local pairs_ = redis.call('ZRANGE', KEYS[source.key], query.min, query.max, 'BYSCORE', 'WITHSCORES')
  local all, ids, texts = {}, {}, {}
  for i = 1, #pairs_, 2 do
    all[#all + 1] = pairs_[i]
    texts[pairs_[i]] = pairs_[i + 1]
  end
  local met = meeting(source.also, all)
  for _, id in ipairs(all) do if met[id] then ids[#ids + 1] = id end end
  local values = (source.value ~= 0 and #ids > 0) and scoresOf(KEYS[source.value], ids) or nil
  for i, id in ipairs(ids) do
    local text, phase = texts[id], 1
    if values then
      if values[i] then text = values[i] else phase = 2 end
    end
    items[#items + 1] = { id = id, score = tonumber(text), text = text, phase = phase }
  end
end
table.sort(items, before)

local rest = items
if query.after then
  local after = { phase = query.after.phase, score = tonumber(query.after.score), id = query.after.id }
  rest = {}
  for _, item in ipairs(items) do if before(after, item) then rest[#rest + 1] = item end end
end
local gone, rows, place = {}, {}, {}
local _, looked, to = giveRows(rest, 1, query.want, rows, gone)
if to then put(place, to) end
return { epoch, lastEventId(KEYS[2]), #items, #items, looked, looked == #rest and 1 or 0, place, gone, rows }
