-- search-recordings.lua: a page of the recordings that are found by words. Their ids are in the order of their requests, by which words and indexes are read.
-- KEYS 1 epoch  2 event stream  3 words (members: word, zero byte, id)  4.. indexes
-- ARGV 1 query (json): words [{ text, id (the beginning of an id that it may also be; left out: of none) }], requested (keys by request, of all rooms and statuses asked for),
--        statuses { status: { also (conditions of list.inc.lua), values (keys of the values that it is sorted by) } }, rooms (codes; left out: any), min and max (ms, exclusive; left out: none),
--        conditions (for each of `also`: its keys for all statuses), open (nothing is asked for but words), valued and valueless (keys by value and of those without; left out: by request), desc, want (rows to give), most (candidates that are all examined), look (that are examined at most, where there are more),
--        streams (words that are read side by side at most), after { phase, score, id } or null, prefix of recordings
-- Returns {'redis-was-reset'} or { epoch, last event id, 1 where every candidate was examined, how many match, how many were looked at, 1 where none is left,
--        { id, score, phase } of the last one looked at, { id of a row that is gone, ... }, { id, score, phase, doc, ... }, candidates, matches in all or -1 }
local query = cjson.decode(ARGV[1])
local epoch = redis.call('GET', KEYS[1])
if not epoch then return { 'redis-was-reset' } end
-- include list.inc.lua
local WORDS = KEYS[3]
local byValue = query.valued ~= nil
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
-- Status and instant of the request where the recording is one of those asked for.
local function examine(id)
  local found = redis.call('HGET', query.prefix .. id, 'found')
  if not found then
    if not isGone[id] and redis.call('EXISTS', query.prefix .. id) == 0 then
      isGone[id] = true
      gone[#gone + 1] = id
    end
    return nil
  end
  for _, word in ipairs(query.words) do
    if not string.find(found, '\n' .. word.text, 1, true) and not (word.id and string.sub(id, 1, #word.id) == word.id) then return nil end
  end
  local status, requested, room = string.match(found, '^(%S+) (%S+) (%S+)')
  local terms = query.statuses[status]
  if not terms or (rooms and not rooms[room]) then return nil end
  requested = tonumber(requested)
  if (query.min and requested <= query.min) or (query.max and requested >= query.max) then return nil end
  if not meetsAll(terms.also, id) then return nil end
  return status, requested
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

local rows, place = {}, {}
-- False: its document is gone.
local function give(item)
  local doc = redis.call('HGET', query.prefix .. item.id, 'doc')
  if not doc then
    gone[#gone + 1] = item.id
    return false
  end
  put(rows, item)
  rows[#rows + 1] = doc
  return true
end

local after = query.after and { phase = query.after.phase, score = tonumber(query.after.score), id = query.after.id }

-- Few enough to examine them all.
if source.count <= query.most then
  local seen, best, left, matched = {}, {}, 0, 0
  local function consider(id)
    if seen[id] then return end
    seen[id] = true
    local status, requested = examine(id)
    if not status then return end
    local item = { id = id, phase = 1, score = requested, text = tostring(requested) }
    if byValue then
      local value = nil
      for _, number in ipairs(query.statuses[status].values) do value = value or redis.call('ZSCORE', KEYS[number], id) end
      if value then item.score = tonumber(value) item.text = value else item.phase = 2 end
    end
    matched = matched + 1
    if after and not before(after, item) then return end
    left = left + 1
    if #best == query.want and (query.want == 0 or before(best[#best], item)) then return end
    local low, high = 1, #best + 1
    while low < high do
      local middle = math.floor((low + high) / 2)
      if before(best[middle], item) then low = middle + 1 else high = middle end
    end
    table.insert(best, low, item)
    if #best > query.want then best[#best] = nil end
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
  for _, item in ipairs(best) do
    if not give(item) then matched = matched - 1 end
  end
  if #best > 0 then put(place, best[#best]) end
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

local streams, exact = nil, false
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
    -- One word that is that of each of its entries: they are counted without being looked at.
    exact = streams and #streams == 1 and #query.words == 1 and #source.parts == 0 and query.open
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

local looked, matched, given, last, to = 0, 0, 0, nil, nil
while #heads > 0 and looked < query.look and (query.want == 0 or given < query.want) do
  local stream = heads[1]
  local item = stream.head
  if not advance(stream) then
    heads[1] = heads[#heads]
    heads[#heads] = nil
  end
  sift(1)
  if item.id ~= last then
    last = item.id
    looked = looked + 1
    local status, requested = examine(item.id)
    if not byValue then item.score = requested or item.score or 0 end
    item.text = tostring(item.score)
    to = item
    if status then
      matched = matched + 1
      if query.want > 0 and give(item) then given = given + 1 end
    end
  end
end
if to then put(place, to) end
return { epoch, lastEventId(KEYS[2]), 0, matched, looked, #heads > 0 and 0 or 1, place, gone, rows, source.count, exact and source.count or -1 }
