-- page-recordings.lua: a page merged from sorted indexes, in a time that does not grow with their size.
-- KEYS 1 epoch  2 event stream  3.. indexes
-- ARGV 1 query (json): phases [{ from, to (key numbers), min, max, minBelow, also (for each key: conditions to be met too; left out: none), within (for each key: the number of the one in `counts` that has all of its members; left out: unknown) }],
--        counts (numbers of the keys whose members are counted; left out: those of the phases), desc, want (rows to give), look (entries to look at, at most), after { phase, score, id } or null, prefix of recordings
-- Returns {'redis-was-reset'} or { epoch, last event id, entries in the indexes, of those looked at how many match, how many were looked at, 1 where none is left,
--        { id, score, phase } of the last one looked at, { id of a row that is gone, ... }, { id, score, phase, row, ... } }
local query = cjson.decode(ARGV[1])
-- include list.inc.lua

-- How many members stand before (score, id), counting it too when `through`; ties are searched by halves, the order among them is that of the ids.
local function rankOf(key, score, id, through)
  local own = redis.call('ZSCORE', key, id)
  if own and tonumber(own) == tonumber(score) then return redis.call('ZRANK', key, id) + (through and 1 or 0) end
  local low = redis.call('ZCOUNT', key, '-inf', '(' .. score)
  local high = low + redis.call('ZCOUNT', key, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', key, middle, middle)[1]
    if member < id then low = middle + 1 else high = middle end
  end
  return low
end

-- A bound that is given as '(<score>' or infinite, or the cursor's score where that is narrower.
local function narrower(bound, score)
  local exclusive = tonumber((string.match(bound, '^%((.+)$')))
  if not exclusive then return score end
  local cut = tonumber(score)
  if query.desc then return exclusive <= cut and bound or score end
  return exclusive >= cut and bound or score
end

-- The first `wanted` entries of one index, as pairs, and whether these are all there are.
local function entriesOf(key, phase, after, wanted)
  local low, high = phase.min, phase.max
  if after and query.desc then high = narrower(high, after.score) end
  if after and not query.desc then low = narrower(low, after.score) end
  -- What the cursor stands on is read along with what follows.
  local limit = after and wanted + 1 or wanted
  local raw
  if query.desc then
    raw = redis.call('ZRANGE', key, high, low, 'BYSCORE', 'REV', 'LIMIT', 0, limit, 'WITHSCORES')
  else
    raw = redis.call('ZRANGE', key, low, high, 'BYSCORE', 'LIMIT', 0, limit, 'WITHSCORES')
  end
  local isAll = #raw / 2 < limit
  if not after then return raw, isAll end
  local score, left = tonumber(after.score), {}
  for i = 1, #raw, 2 do
    local at = tonumber(raw[i + 1])
    local passed = at == score and ((query.desc and raw[i] >= after.id) or (not query.desc and raw[i] <= after.id))
    if not passed then
      left[#left + 1] = raw[i]
      left[#left + 1] = raw[i + 1]
    end
  end
  if isAll or #left / 2 >= wanted then return left, isAll end
  -- Many stand at the cursor's score.
  local first, last
  if query.desc then
    last = rankOf(key, after.score, after.id, false) - 1
    first = math.max(phase.min == '-inf' and 0 or redis.call('ZCOUNT', key, '-inf', phase.minBelow), last - wanted + 1)
    if last < first then return {}, true end
    local upward, downward = redis.call('ZRANGE', key, first, last, 'WITHSCORES'), {}
    for i = #upward - 1, 1, -2 do
      downward[#downward + 1] = upward[i]
      downward[#downward + 1] = upward[i + 1]
    end
    return downward, #downward / 2 < wanted
  end
  first = rankOf(key, after.score, after.id, true)
  last = math.min(first + wanted - 1, redis.call('ZCOUNT', key, '-inf', phase.max) - 1)
  if last < first then return {}, true end
  local rest = redis.call('ZRANGE', key, first, last, 'WITHSCORES')
  return rest, #rest / 2 < wanted
end

local function countOf(key, phase)
  if phase.min == '-inf' and phase.max == '+inf' then return redis.call('ZCARD', key) end
  return redis.call('ZCOUNT', key, phase.min, phase.max)
end

-- Of the next items, in order: those that meet their conditions, and how many were looked at for it.
local LOOK_AT_ONCE = 250
local function matching(items, first, most)
  local last = math.min(most, first + LOOK_AT_ONCE - 1)
  local byConditions, order = {}, {}
  for i = first, last do
    local also = items[i].also
    if not byConditions[also] then
      byConditions[also] = {}
      order[#order + 1] = also
    end
    table.insert(byConditions[also], items[i].id)
  end
  local met = {}
  for _, also in ipairs(order) do met[also] = meeting(also, byConditions[also]) end
  local found = {}
  for i = first, last do
    local item = items[i]
    if met[item.also][item.id] then
      item.number = i
      found[#found + 1] = item
    end
  end
  return found, last - first + 1
end

local sizes = {}
for _, number in ipairs(query.counts or {}) do sizes[number] = redis.call('ZCARD', KEYS[number]) end

local total, looked, matched, given, more = 0, 0, 0, 0, false
local to, gone, rows = {}, {}, {}
for number, phase in ipairs(query.phases) do
  local merged, wanted = {}, query.look - looked
  if query.want > 0 and given == query.want then wanted = 0 end
  local isPast = query.after and number < query.after.phase
  local after = query.after and number == query.after.phase and query.after
  for k = phase.from, phase.to do
    local key, count = KEYS[k], nil
    if phase.within then count = sizes[phase.within[k - phase.from + 1]] end
    -- Where most indexes are empty, asking each how many it has first is less than reading each.
    if after and not query.counts then count = countOf(key, phase) end
    if wanted > 0 and not isPast and count ~= 0 then
      local also = phase.also and phase.also[k - phase.from + 1]
      local entries, isAll = entriesOf(key, phase, after, wanted)
      for i = 1, #entries, 2 do
        merged[#merged + 1] = { id = entries[i], score = tonumber(entries[i + 1]), text = entries[i + 1], phase = number, also = also }
      end
      if isAll and not after then count = #entries / 2 end
      if not isAll then more = true end
    end
    if query.counts then
      -- Where the page is full there is more, and else how much is not asked.
      if wanted <= 0 and not isPast then more = true end
    else
      count = count or countOf(key, phase)
      total = total + count
      if wanted <= 0 and not isPast and count > 0 then more = true end
    end
  end
  table.sort(merged, before)
  local most, at = math.min(wanted, #merged), 1
  while at <= most and not (query.want > 0 and given == query.want) do
    if phase.also then
      local found, passed = matching(merged, at, most)
      if query.want == 0 then
        matched = matched + #found
        looked = looked + passed
        to = merged[at + passed - 1]
        at = at + passed
      else
        local some, used, last = giveRows(found, 1, query.want - given, rows, gone)
        given = given + some
        matched = matched + used
        -- Where the page is full, no further than to its last row.
        if used < #found or given == query.want then passed = last.number - at + 1 end
        looked = looked + passed
        to = merged[at + passed - 1]
        at = at + passed
      end
    elseif query.want == 0 then
      local passed = most - at + 1
      matched = matched + passed
      looked = looked + passed
      to = merged[most]
      at = most + 1
    else
      local page = {}
      for i = 1, most do page[i] = merged[i] end
      local some, used, last = giveRows(page, at, query.want - given, rows, gone)
      given = given + some
      matched = matched + used
      looked = looked + used
      to = last
      at = at + used
    end
  end
  if at <= #merged then more = true end
end

for _, size in pairs(sizes) do total = total + size end
if not readEpoch() then return { 'redis-was-reset' } end
local place = {}
if to.id then put(place, to) end
return { epoch, lastEventId(KEYS[2]), total, matched, looked, more and 0 or 1, place, gone, rows }
