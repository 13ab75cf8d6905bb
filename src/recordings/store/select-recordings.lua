-- select-recordings.lua: a page of what several conditions leave of a bounded number of recordings.
-- KEYS 1 epoch  2 event stream  3.. indexes
-- ARGV 1 query (json): sources [{ key, also (conditions), value (key number or 0) }], min, max, desc, want, most, after { phase, score, id } or null, prefix
-- Returns {'redis-was-reset'} | {'too-many'} | what page-recordings.lua returns; phase 1 has a value, phase 2 none
local query = cjson.decode(ARGV[1])
local epoch = redis.call('GET', KEYS[1])
if not epoch then return { 'redis-was-reset' } end
-- include list.inc.lua

local candidates = 0
for _, source in ipairs(query.sources) do candidates = candidates + redis.call('ZCOUNT', KEYS[source.key], query.min, query.max) end
if candidates > query.most then return { 'too-many' } end

local items = {}
for _, source in ipairs(query.sources) do
  local pairs_ = redis.call('ZRANGE', KEYS[source.key], query.min, query.max, 'BYSCORE', 'WITHSCORES')
  for i = 1, #pairs_, 2 do
    local id, text, phase = pairs_[i], pairs_[i + 1], 1
    if meetsAll(source.also, id) then
      if source.value ~= 0 then
        local value = redis.call('ZSCORE', KEYS[source.value], id)
        if value then text = value else phase = 2 end
      end
      items[#items + 1] = { id = id, score = tonumber(text), text = text, phase = phase }
    end
  end
end
table.sort(items, before)

local given, looked, left = 0, 0, 0
local to, gone, rows = {}, {}, {}
for _, item in ipairs(items) do
  if not query.after or before({ phase = query.after.phase, score = tonumber(query.after.score), id = query.after.id }, item) then
    left = left + 1
    if given < query.want then
      looked = looked + 1
      to = item
      local doc = redis.call('HGET', query.prefix .. item.id, 'doc')
      if doc then
        given = given + 1
        put(rows, item)
        rows[#rows + 1] = doc
      else
        gone[#gone + 1] = item.id
      end
    end
  end
end

local place = {}
if to.id then put(place, to) end
return { epoch, lastEventId(KEYS[2]), #items, #items, looked, looked == left and 1 or 0, place, gone, rows }
