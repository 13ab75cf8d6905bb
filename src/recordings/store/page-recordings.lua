-- page-recordings.lua: a page merged from sorted indexes, in a time that does not grow with their size.
-- KEYS 1 epoch  2 event stream  3.. indexes
-- ARGV 1 query (json): phases [{ from, to (key numbers), min, max, minBelow, also (for each key: conditions to be met too; left out: none) }],
--        desc, want (rows to give), look (entries to look at, at most), after { phase, score, id } or null, prefix of recordings
-- Returns {'redis-was-reset'} or { epoch, last event id, entries in the indexes, of those looked at how many match, how many were looked at, 1 where none is left,
--        { id, score, phase } of the last one looked at, { id of a row that is gone, ... }, { id, score, phase, doc, ... } }
local query = cjson.decode(ARGV[1])
local epoch = redis.call('GET', KEYS[1])
if not epoch then return { 'redis-was-reset' } end
-- include list.inc.lua

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

local total, looked, available, matched, given = 0, 0, 0, 0, 0
local to, gone, rows = {}, {}, {}
for number, phase in ipairs(query.phases) do
  local merged = {}
  local wanted = query.look - looked
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
    if first <= last then
      available = available + (last - first + 1)
      if wanted > 0 then
        if query.desc then first = math.max(first, last - wanted + 1) else last = math.min(last, first + wanted - 1) end
        local also = phase.also and phase.also[k - phase.from + 1]
        local pairs_ = redis.call('ZRANGE', key, first, last, 'WITHSCORES')
        for i = 1, #pairs_, 2 do
          merged[#merged + 1] = { id = pairs_[i], score = tonumber(pairs_[i + 1]), text = pairs_[i + 1], phase = number, also = also }
        end
      end
    end
  end
  table.sort(merged, before)
  for i = 1, math.min(wanted, #merged) do
    if query.want > 0 and given == query.want then break end
    local item = merged[i]
    looked = looked + 1
    to = item
    if not item.also or meetsAll(item.also, item.id) then
      matched = matched + 1
      local doc = query.want > 0 and redis.call('HGET', query.prefix .. item.id, 'doc')
      if doc then
        given = given + 1
        put(rows, item)
        rows[#rows + 1] = doc
      elseif query.want > 0 then
        gone[#gone + 1] = item.id
      end
    end
  end
end

local place = {}
if to.id then put(place, to) end
return { epoch, lastEventId(KEYS[2]), total, matched, looked, looked == available and 1 or 0, place, gone, rows }
