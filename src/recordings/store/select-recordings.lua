-- select-recordings.lua: a page of what several conditions leave of a bounded number of recordings.
-- KEYS 1 epoch  2 event stream  3.. indexes
-- ARGV 1 query (json): sources [{ key, also [key numbers], value (key number or 0) }], min, max, desc, limit, most, after { phase, score, id } or null, prefix
-- Returns {'not-whole'} | {'too-many'} | { epoch, last event id, total, id, score, phase, doc, ... }; phase 1 has a value, phase 2 none
local query = cjson.decode(ARGV[1])
local epoch = redis.call('GET', KEYS[1])
if not epoch then return { 'not-whole' } end

local candidates = 0
for _, source in ipairs(query.sources) do candidates = candidates + redis.call('ZCOUNT', KEYS[source.key], query.min, query.max) end
if candidates > query.most then return { 'too-many' } end

local items = {}
for _, source in ipairs(query.sources) do
  local pairs_ = redis.call('ZRANGE', KEYS[source.key], query.min, query.max, 'BYSCORE', 'WITHSCORES')
  for i = 1, #pairs_, 2 do
    local id, text, phase, matches = pairs_[i], pairs_[i + 1], 1, true
    for _, other in ipairs(source.also) do
      if not redis.call('ZSCORE', KEYS[other], id) then matches = false break end
    end
    if matches then
      if source.value ~= 0 then
        local value = redis.call('ZSCORE', KEYS[source.value], id)
        if value then text = value else phase = 2 end
      end
      items[#items + 1] = { id = id, score = tonumber(text), text = text, phase = phase }
    end
  end
end

local function before(a, b)
  if a.phase ~= b.phase then return a.phase < b.phase end
  if a.score ~= b.score then
    if query.desc then return a.score > b.score end
    return a.score < b.score
  end
  if query.desc then return a.id > b.id end
  return a.id < b.id
end
table.sort(items, before)

local last = '0-0'
if redis.call('EXISTS', KEYS[2]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
end
local answer = { epoch, last, #items }
local given = 0
for _, item in ipairs(items) do
  if given == query.limit then break end
  if not query.after or before({ phase = query.after.phase, score = tonumber(query.after.score), id = query.after.id }, item) then
    given = given + 1
    answer[#answer + 1] = item.id
    answer[#answer + 1] = item.text
    answer[#answer + 1] = item.phase
    answer[#answer + 1] = redis.call('HGET', query.prefix .. item.id, 'doc') or ''
  end
end
return answer
