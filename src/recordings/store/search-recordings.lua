-- search-recordings.lua: a page of the recordings that are found by words. Their ids are in the order of their requests, by which words and indexes are read.
-- KEYS 1 epoch  2 event stream  3 words (members: word, zero byte, id)  4.. indexes
-- ARGV 1 query (json): words [{ text, id (the beginning of an id that it may also be; left out: of none) }], requested (keys by request, of all rooms and statuses asked for),
--        statuses { status: { also (conditions of list.inc.lua), values (keys of the values that it is sorted by) } }, rooms (codes; left out: any), min and max (ms, exclusive; left out: none),
--        conditions (for each of `also`: its keys for all statuses), open (nothing is asked for but words), valued and valueless (keys by value and of those without; left out: by request), desc, want (rows to give), most (candidates that are all examined), look (that are examined at most, where there are more),
--        streams (words that are read side by side at most), after { phase, score, id } or null, prefix of recordings
-- Returns {'redis-was-reset'} or { epoch, last event id, 1 where every candidate was examined, how many match, how many were looked at, 1 where none is left,
--        { id, score, phase } of the last one looked at, { id of a row that is gone, ... }, { id, score, phase, row, ... }, candidates, matches in all or -1 }
local query = cjson.decode(ARGV[1])
-- include list.inc.lua
if not readEpoch() then return { 'redis-was-reset' } end
local WORDS = KEYS[3]
local byValue = query.valued ~= nil
for _, word in ipairs(query.words) do word.line = '\n' .. word.text end
local rooms = nil
if query.rooms then
  rooms = {}
  for _, code in ipairs(query.rooms) do rooms[code] = true end
end

local function idOf(member)
  local zero = string.find(member, '\0', 1, true)
  return string.sub(member, zero + 1), zero
end

local gone, isGone = {}, {}
-- Whether each of the words is the beginning of one that the recording is found by.
local function isFound(words, id, row)
  local document = nil
  for _, word in ipairs(words) do
    local at = string.find(row, word.line, 1, true)
    -- What comes after the words is no text, and may look like one.
    if at then
      document = document or string.find(row, '\n\n', 1, true)
      if at > document then at = nil end
    end
    if not at and not (word.id and string.sub(id, 1, #word.id) == word.id) then return false end
  end
  return true
end

-- What is left to be asked of candidates: `exact` words are asked of their index, which is a fifth of the work, and all else of rows.
local exact, others, isOfIndexes = {}, {}, false

local EXAMINED_AT_ONCE = 500
-- Which of the ids are asked for: their numbers in order, and by number the instant of the request, where a row was read for it, and the value.
local function examine(ids)
  local numbers, requestedOf, valueOf = {}, {}, {}
  for i = 1, #ids do numbers[i] = i end
  for _, word in ipairs(exact) do
    local members, left = {}, {}
    for n, i in ipairs(numbers) do members[n] = word .. '\0' .. ids[i] end
    local scores = scoresOf(WORDS, members)
    for n, i in ipairs(numbers) do if scores[n] then left[#left + 1] = i end end
    numbers = left
  end
  if isOfIndexes then return numbers, requestedOf, valueOf end
  local statuses, min, max = query.statuses, query.min or -math.huge, query.max or math.huge
  local passing = {}
  for from = 1, #numbers, EXAMINED_AT_ONCE do
    local some, byStatus, statusOf = {}, {}, {}
    for n = from, math.min(from + EXAMINED_AT_ONCE - 1, #numbers) do some[#some + 1] = ids[numbers[n]] end
    for n, row in ipairs(rowsOf(some)) do
      local id = some[n]
      if not row then
        if not isGone[id] then
          isGone[id] = true
          gone[#gone + 1] = id
        end
      elseif isFound(others, id, row) then
        local status, requested, room = termsOf(row)
        local at = tonumber(requested)
        if statuses[status] and not (rooms and not rooms[room]) and at > min and at < max then
          statusOf[n] = status
          requestedOf[numbers[from + n - 1]] = at
          local same = byStatus[status] or {}
          byStatus[status] = same
          same[#same + 1] = id
        end
      end
    end
    local met, values = {}, {}
    for status, same in pairs(byStatus) do
      local terms = statuses[status]
      if #terms.also > 0 then met[status] = meeting(terms.also, same) end
      for _, key in ipairs(terms.values) do
        for n, value in ipairs(scoresOf(KEYS[key], same)) do values[same[n]] = value end
      end
    end
    for n, id in ipairs(some) do
      local status = statusOf[n]
      if status and (not met[status] or met[status][id]) then
        local i = numbers[from + n - 1]
        passing[#passing + 1] = i
        valueOf[i] = values[id] or nil
      end
    end
  end
  return passing, requestedOf, valueOf
end

local function firstRank(key, id)
  local low, high = 0, redis.call('ZCARD', key)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if redis.call('ZRANGE', key, middle, middle)[1] < id then low = middle + 1 else high = middle end
  end
  return low
end

-- Part of a sorted set: ranks, both inclusive.
local function partOf(key, word)
  if word then return { key = key, first = firstRank(key, word.id), last = firstRank(key, word.id .. '\255') - 1 } end
  if not query.min and not query.max then return { key = key, first = 0, last = redis.call('ZCARD', key) - 1 } end
  local first = query.min and redis.call('ZCOUNT', key, '-inf', query.min) or 0
  local last = redis.call('ZCOUNT', key, '-inf', query.max and ('(' .. query.max) or '+inf') - 1
  return { key = key, first = first, last = last }
end

-- What the candidates can be taken from: each has all that match.
local sources = {}
do
  local base = { count = 0, parts = {} }
  for _, number in ipairs(query.requested) do
    local part = partOf(KEYS[number])
    base.parts[#base.parts + 1] = part
    base.count = base.count + math.max(0, part.last - part.first + 1)
  end
  sources[1] = base
  for _, word in ipairs(query.words) do
    local source = { word = word, parts = {}, count = redis.call('ZLEXCOUNT', WORDS, '[' .. word.text, '(' .. word.text .. '\255') }
    if word.id then
      for _, number in ipairs(query.requested) do
        local part = partOf(KEYS[number], word)
        if part.first <= part.last then
          source.parts[#source.parts + 1] = part
          source.count = source.count + part.last - part.first + 1
        end
      end
    end
    sources[#sources + 1] = source
  end
  for _, numbers in ipairs(query.conditions) do
    local source = { parts = {}, count = 0 }
    for _, number in ipairs(numbers) do
      local part = partOf(KEYS[number])
      source.parts[#source.parts + 1] = part
      source.count = source.count + math.max(0, part.last - part.first + 1)
    end
    sources[#sources + 1] = source
  end
end
local source = sources[1]
for _, other in ipairs(sources) do if other.count < source.count then source = other end end

-- The word that all entries of a word's beginning are of, where there is one, and no id begins so.
local function wordOf(of)
  if #of.parts > 0 then return nil end
  local text = of.word.text
  local first = redis.call('ZRANGE', WORDS, '[' .. text, '(' .. text .. '\255', 'BYLEX', 'LIMIT', 0, 1)[1]
  if not first then return nil end
  local word = string.sub(first, 1, string.find(first, '\0', 1, true) - 1)
  return redis.call('ZLEXCOUNT', WORDS, '[' .. word .. '\0', '(' .. word .. '\1') == of.count and word or nil
end
for _, of in ipairs(sources) do
  if of.word and of ~= source then
    local word = source.count > 0 and wordOf(of)
    if word then exact[#exact + 1] = word else others[#others + 1] = of.word end
  end
end
isOfIndexes = query.open and not byValue and #others == 0 and source.word ~= nil

local rows, place = {}, {}
local after = query.after and { phase = query.after.phase, score = tonumber(query.after.score), id = query.after.id }

-- One word that is that of each of its entries: they are counted without being looked at.
local isCounted = isOfIndexes and #query.words == 1 and wordOf(source) ~= nil

-- Whether `a` stands before `b`; by request ids say it, where no row was read.
local function isBefore(a, b)
  if a.score and b.score then return before(a, b) end
  if query.desc then return a.id > b.id end
  return a.id < b.id
end

-- Few enough to examine them all.
if source.count <= query.most and not isCounted then
  local seen, candidates, best, left = {}, {}, {}, 0
  local function consider(id)
    if seen[id] then return end
    seen[id] = true
    candidates[#candidates + 1] = id
  end
  -- In the order that is asked for, so that what comes later is mostly behind what is there.
  if source.word then
    local low, high = '[' .. source.word.text, '(' .. source.word.text .. '\255'
    local members = query.desc and redis.call('ZRANGE', WORDS, high, low, 'BYLEX', 'REV') or redis.call('ZRANGE', WORDS, low, high, 'BYLEX')
    for _, member in ipairs(members) do consider((idOf(member))) end
  end
  for _, part in ipairs(source.parts) do
    if part.first <= part.last then
      local ids = redis.call('ZRANGE', part.key, part.first, part.last)
      for i = 1, #ids do consider(ids[query.desc and #ids + 1 - i or i]) end
    end
  end
  local passing, requestedOf, valueOf = examine(candidates)
  local function isBehind(item)
    return #best == query.want and (query.want == 0 or isBefore(best[#best], item))
  end
  for _, i in ipairs(passing) do
    local value = valueOf[i]
    local item = { id = candidates[i], phase = (byValue and not value) and 2 or 1, score = tonumber(value) or requestedOf[i] }
    if not after or isBefore(after, item) then
      left = left + 1
      if not isBehind(item) then
        item.text = item.score and string.format('%.17g', item.score)
        local low, high = 1, #best + 1
        while low < high do
          local middle = math.floor((low + high) / 2)
          if isBefore(best[middle], item) then low = middle + 1 else high = middle end
        end
        table.insert(best, low, item)
        if #best > query.want then best[#best] = nil end
      end
    end
  end
  local given, used, to = giveRows(best, 1, #best, rows, gone)
  if to then
    to.text = to.text or '0'
    put(place, to)
  end
  local matched = #passing - (used - given)
  return { epoch, lastEventId(KEYS[2]), 1, matched, #best, left == #best and 1 or 0, place, gone, rows, source.count, matched }
end

-- Many: read side by side in order, until the page is full or enough was looked at.
local function chunkOf(stream)
  stream.chunk = math.min(64, (stream.chunk or 2) * 2)
  return stream.chunk
end

local function partStream(part, phase)
  local first, last = part.first, part.last
  return { fetch = function(stream)
    local chunk = chunkOf(stream)
    if first > last then return {} end
    local pairs_
    if query.desc then
      local from = math.max(first, last - chunk + 1)
      pairs_ = redis.call('ZRANGE', part.key, from, last, 'WITHSCORES')
      last = from - 1
    else
      pairs_ = redis.call('ZRANGE', part.key, first, math.min(last, first + chunk - 1), 'WITHSCORES')
      first = first + #pairs_ / 2
    end
    local items = {}
    for i = 1, #pairs_, 2 do items[#items + 1] = { id = pairs_[i], score = tonumber(pairs_[i + 1]), phase = phase } end
    if query.desc then
      local turned = {}
      for i = #items, 1, -1 do turned[#turned + 1] = items[i] end
      return turned
    end
    return items
  end }
end

local function wordStream(word)
  local low, high = word .. '\0', '(' .. word .. '\1'
  if after and query.desc then high = '(' .. low .. after.id end
  low = (after and not query.desc) and ('(' .. low .. after.id) or ('[' .. low)
  return { fetch = function(stream)
    local chunk = chunkOf(stream)
    local members = query.desc and redis.call('ZRANGE', WORDS, high, low, 'BYLEX', 'REV', 'LIMIT', 0, chunk) or redis.call('ZRANGE', WORDS, low, high, 'BYLEX', 'LIMIT', 0, chunk)
    local items = {}
    for i, member in ipairs(members) do items[i] = { id = idOf(member), phase = 1 } end
    if #members > 0 then
      if query.desc then high = '(' .. members[#members] else low = '(' .. members[#members] end
    end
    return items
  end }
end

-- One for each word that begins so; nil: too many.
local function wordStreams(text)
  local streams = {}
  local low = '[' .. text
  while true do
    local member = redis.call('ZRANGE', WORDS, low, '(' .. text .. '\255', 'BYLEX', 'LIMIT', 0, 1)[1]
    if not member then return streams end
    if #streams == query.streams then return nil end
    local _, zero = idOf(member)
    local word = string.sub(member, 1, zero - 1)
    streams[#streams + 1] = wordStream(word)
    low = '[' .. word .. '\1'
  end
end

local function rankOf(key, item, through)
  local low = redis.call('ZCOUNT', key, '-inf', '(' .. item.score)
  local high = low + redis.call('ZCOUNT', key, item.score, item.score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', key, middle, middle)[1]
    if member < item.id or (through and member == item.id) then low = middle + 1 else high = middle end
  end
  return low
end

local function behindAfter(part, phase)
  if not after or phase > after.phase then return part end
  if phase < after.phase then return { key = part.key, first = 0, last = -1 } end
  if query.desc then return { key = part.key, first = part.first, last = math.min(part.last, rankOf(part.key, after, false) - 1) } end
  return { key = part.key, first = math.max(part.first, rankOf(part.key, after, true)), last = part.last }
end

local streams = nil
if byValue then
  streams = {}
  for phase, numbers in ipairs({ query.valued, query.valueless }) do
    for _, number in ipairs(numbers) do
      local key = KEYS[number]
      streams[#streams + 1] = partStream(behindAfter({ key = key, first = 0, last = redis.call('ZCARD', key) - 1 }, phase), phase)
    end
  end
else
  if source.word then
    streams = wordStreams(source.word.text)
  end
  local parts = source.parts
  if not streams then
    streams = {}
    parts = sources[1].parts
  end
  for _, part in ipairs(parts) do streams[#streams + 1] = partStream(behindAfter(part, 1), 1) end
end

local heads = {}
local function sooner(a, b)
  if byValue then return before(a, b) end
  if query.desc then return a.id > b.id end
  return a.id < b.id
end
local function sift(i)
  while true do
    local least, left = i, 2 * i
    if left <= #heads and sooner(heads[left].head, heads[least].head) then least = left end
    if left < #heads and sooner(heads[left + 1].head, heads[least].head) then least = left + 1 end
    if least == i then return end
    heads[i], heads[least] = heads[least], heads[i]
    i = least
  end
end
local function advance(stream)
  stream.at = stream.at and stream.at + 1 or 1
  if not stream.items or stream.at > #stream.items then
    stream.items = stream.fetch(stream)
    stream.at = 1
  end
  stream.head = stream.items[stream.at]
  return stream.head ~= nil
end
for _, stream in ipairs(streams) do if advance(stream) then heads[#heads + 1] = stream end end
for i = math.floor(#heads / 2), 1, -1 do sift(i) end

-- The next in order, each once.
local last = nil
local function nextItems(count)
  local items = {}
  while #heads > 0 and #items < count do
    local stream = heads[1]
    local item = stream.head
    if not advance(stream) then
      heads[1] = heads[#heads]
      heads[#heads] = nil
    end
    sift(1)
    if item.id ~= last then
      last = item.id
      items[#items + 1] = item
    end
  end
  return items
end

local looked, matched, given, to, more = 0, 0, 0, nil, false
local chunk = math.max(16, query.want)
while #heads > 0 and looked < query.look and not (query.want > 0 and given == query.want) do
  local items, ids, found = nextItems(math.min(chunk, query.look - looked)), {}, {}
  for i, item in ipairs(items) do ids[i] = item.id end
  local passing, requestedOf = examine(ids)
  for n, i in ipairs(passing) do
    local item = items[i]
    item.number = i
    if not byValue then item.score = requestedOf[i] end
    item.text = item.score and string.format('%.17g', item.score)
    found[n] = item
  end
  local passed = #items
  if query.want == 0 then
    matched = matched + #found
  else
    local some, used, last = giveRows(found, 1, query.want - given, rows, gone)
    given = given + some
    matched = matched + used
    -- Where the page is full, no further than to its last row.
    if given == query.want then passed = last.number end
  end
  looked = looked + passed
  to = items[passed] or to
  more = passed < #items
  chunk = math.min(EXAMINED_AT_ONCE, chunk * 2)
end
if to then
  if not to.text then
    local row = rowsOf({ to.id })[1]
    to.text = to.score and string.format('%.17g', to.score) or (row and select(2, termsOf(row))) or '0'
  end
  put(place, to)
end
return { epoch, lastEventId(KEYS[2]), 0, matched, looked, (more or #heads > 0) and 0 or 1, place, gone, rows, source.count, isCounted and source.count or -1 }
