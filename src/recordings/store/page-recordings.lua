-- page-recordings.lua: a page merged from sorted indexes, in a time that does not grow with their size.
-- KEYS 1 epoch  2 event stream  3.. indexes
-- ARGV 1 query (json): phases [{ from, to (key numbers), min, max }], desc, limit, after { phase, score, id } or null, prefix of recordings
-- Returns {'not-whole'} or { epoch, last event id, total, id, score, phase, doc, id, score, phase, doc, ... }
local query = cjson.decode(ARGV[1])
local epoch = redis.call('GET', KEYS[1])
if not epoch then return { 'not-whole' } end

-- How many members stand before (score, id), counting it too when `through`; ties are searched by halves, the order among them is that of the ids.
local function rankOf(key, score, id, through)
  local low = redis.call('ZCOUNT', key, '-inf', '(' .. score)
  local high = low + redis.call('ZCOUNT', key, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', key, middle, middle)[1]
    if member < id or (through and member == id) then low = middle + 1 else high = middle end
  end
  return low
end

local function before(a, b)
  if a.score ~= b.score then
    if query.desc then return a.score > b.score end
    return a.score < b.score
  end
  if query.desc then return a.id > b.id end
  return a.id < b.id
end

local total = 0
local found = {}
for number, phase in ipairs(query.phases) do
  local merged = {}
  local wanted = query.limit - #found
  for k = phase.from, phase.to do
    local key = KEYS[k]
    local first = phase.min == '-inf' and 0 or redis.call('ZCOUNT', key, '-inf', phase.minBelow)
    local last = first + redis.call('ZCOUNT', key, phase.min, phase.max) - 1
    total = total + (last - first + 1)
    local after = query.after
    if after and number < after.phase then last = first - 1 end
    if after and number == after.phase then
      if query.desc then
        last = math.min(last, rankOf(key, after.score, after.id, false) - 1)
      else
        first = math.max(first, rankOf(key, after.score, after.id, true))
      end
    end
    if wanted > 0 and first <= last then
      if query.desc then first = math.max(first, last - wanted + 1) else last = math.min(last, first + wanted - 1) end
      local pairs_ = redis.call('ZRANGE', key, first, last, 'WITHSCORES')
      for i = 1, #pairs_, 2 do merged[#merged + 1] = { id = pairs_[i], score = tonumber(pairs_[i + 1]), text = pairs_[i + 1], phase = number } end
    end
  end
  table.sort(merged, before)
  for i = 1, math.min(wanted, #merged) do found[#found + 1] = merged[i] end
end

local last = '0-0'
if redis.call('EXISTS', KEYS[2]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then last = info[i + 1] end end
end
local answer = { epoch, last, total }
for _, item in ipairs(found) do
  local doc = redis.call('HGET', query.prefix .. item.id, 'doc')
  answer[#answer + 1] = item.id
  answer[#answer + 1] = item.text
  answer[#answer + 1] = item.phase
  answer[#answer + 1] = doc or ''
end
return answer
