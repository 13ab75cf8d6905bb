-- search-recordings.lua: a page of the recordings that are found by words. Their ids are in the order of their requests, by which words and indexes are read.
-- KEYS 1 epoch  2 event stream  3, 4, 5 postings (see postings.inc.lua)  6.. indexes
-- ARGV 1 query (json): words [{ text, id (the beginning of an id that it may also be; left out: of none), whole (it is a word, not a beginning) }], requested (keys by request, of all rooms and statuses asked for),
--        statuses { status: { also (conditions of list.inc.lua), values (keys of the values that it is sorted by) } }, rooms (codes; left out: any), min and max (ms, exclusive; left out: none),
--        conditions (for each of `also`: its keys for all statuses), open (nothing is asked for but words), valued and valueless (keys by value and of those without; left out: by request), desc, want (rows to give), most (candidates that are all examined), look (that are examined at most, where there are more),
--        streams (words that are read side by side at most), after { phase, score, id } or null, prefix of recordings
-- Returns {'redis-was-reset'} or { epoch, last event id, 1 where every candidate was examined, how many match, how many were looked at, 1 where none is left,
--        { id, score, phase } of the last one looked at, { id of a row that is gone, ... }, { id, score, phase, row, ... }, candidates, matches in all or -1 }
local query = cjson.decode(ARGV[1])
-- include list.inc.lua
if not readEpoch() then return { 'redis-was-reset' } end
-- include postings.inc.lua
-- Where postings are: of those that are not in `ids`, each is a member.
local stores = { { words = KEYS[3], ids = KEYS[4] } }
if redis.call('EXISTS', KEYS[5]) == 1 then stores[2] = { words = KEYS[5] } end
local byValue = query.valued ~= nil
for _, word in ipairs(query.words) do word.line = '\n' .. word.text end
local rooms = nil
if query.rooms then
  rooms = {}
  for _, code in ipairs(query.rooms) do rooms[code] = true end
end

local function boundsOf(word)
  if word.whole then return '[' .. word.text .. '\0', '(' .. word.text .. '\1' end
  return '[' .. word.text, '(' .. word.text .. '\255'
end

local EXPANDED_AT_ONCE = 100
-- The ids of the members, in order, or from the last to the first; not many more than `most`.
local function expand(store, members, isDown, most)
  local all = {}
  for from = 1, #members, EXPANDED_AT_ONCE do
    local last = math.min(from + EXPANDED_AT_ONCE - 1, #members)
    local held, chunks = {}, {}
    for n = from, last do if isChunk(members[n]) then chunks[#chunks + 1] = members[n] end end
    if #chunks > 0 then
      for i, ids in ipairs(redis.call('HMGET', store.ids, unpack(chunks))) do held[chunks[i]] = ids end
    end
    for n = from, last do
      local member = members[n]
      local ids = held[member]
      if ids then
        local first, final, step = 1, #ids - ID_LENGTH + 1, ID_LENGTH
        if isDown then first, final, step = final, 1, -ID_LENGTH end
        for at = first, final, step do all[#all + 1] = 'rec_' .. string.sub(ids, at, at + ID_LENGTH - 1) end
      elseif not isChunk(member) then
        all[#all + 1] = string.sub(member, string.find(member, '\0', 1, true) + 1)
      end
    end
    if most and #all > most then break end
  end
  return all
end

local MOST_COUNTED = 16
-- How many postings a word has, at least; and the words that it stands for, where they are few, which makes it exact.
local function countPostings(word)
  local low, high = boundsOf(word)
  local count, words, isFew = 0, {}, true
  for _, store in ipairs(stores) do
    local members = redis.call('ZLEXCOUNT', store.words, low, high)
    local of = {}
    local from = low
    while members > 0 and isFew do
      local member = redis.call('ZRANGE', store.words, from, high, 'BYLEX', 'LIMIT', 0, 1)[1]
      if not member then break end
      of[#of + 1] = string.sub(member, 1, string.find(member, '\0', 1, true) - 1)
      from = '[' .. of[#of] .. '\1'
      if #of > MOST_COUNTED then isFew = false end
    end
    for _, one in ipairs(of) do words[one] = true end
    if store.ids and isFew and #of > 0 then
      for _, postings in ipairs(redis.call('HMGET', store.ids, unpack(of))) do count = count + tonumber(postings or 1) end
    else
      count = count + members
    end
  end
  if not isFew then return count, nil end
  local list = {}
  for one in pairs(words) do list[#list + 1] = one end
  return count, list
end

local gone, isGone = {}, {}
-- Those that candidates are not found by already.
local otherWords = query.words
local function taken(from)
  otherWords = {}
  for _, word in ipairs(query.words) do if word ~= from then otherWords[#otherWords + 1] = word end end
end
-- Whether each of these words is the beginning of one that the recording is found by.
local function isFound(id, row)
  local document = nil
  for _, word in ipairs(otherWords) do
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

-- Nothing is asked for that the postings of one word don't say: no row has to be read to know which they are.
local isOfPostings = false

local EXAMINED_AT_ONCE = 500
-- Which of the ids are asked for: their numbers in order, and by number the instant of the request, where a row was read for it, and the value.
local function examine(ids)
  local numbers, requestedOf, valueOf = {}, {}, {}
  for i = 1, #ids do numbers[i] = i end
  if isOfPostings then return numbers, requestedOf, valueOf end
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
      elseif query.open and not byValue then
        if isFound(id, row) then passing[#passing + 1] = numbers[from + n - 1] end
      elseif isFound(id, row) then
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
    local source = { word = word, parts = {} }
    source.count, source.words = countPostings(word)
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
for _, other in ipairs(sources) do
  -- A word's postings are read without rows, so that it is taken where it is no worse.
  if other.count < source.count or (other.count == source.count and other.word and not source.word) then source = other end
end

isOfPostings = query.open and not byValue and #query.words == 1 and source.word ~= nil

local rows, place = {}, {}
local after = query.after and { phase = query.after.phase, score = tonumber(query.after.score), id = query.after.id }

-- One word that is that of each of its entries: they are counted without being looked at.
local isCounted = isOfPostings and #source.parts == 0 and source.words ~= nil and #source.words == 1

-- Whether `a` stands before `b`; by request ids say it, where no row was read.
local function isBefore(a, b)
  if a.score and b.score then return before(a, b) end
  if query.desc then return a.id > b.id end
  return a.id < b.id
end

-- All that the source has, each once; nil: too many.
local function candidatesOf()
  if source.count > query.most then return nil end
  local seen, candidates = {}, {}
  local function consider(id)
    if seen[id] then return end
    seen[id] = true
    candidates[#candidates + 1] = id
  end
  -- In the order that is asked for, so that what comes later is mostly behind what is there.
  if source.word then
    local low, high = boundsOf(source.word)
    for _, store in ipairs(stores) do
      local members = query.desc and redis.call('ZRANGE', store.words, high, low, 'BYLEX', 'REV') or redis.call('ZRANGE', store.words, low, high, 'BYLEX')
      local ids = expand(store, members, query.desc, query.most)
      -- Counted by chunks alone, they may be more than it seemed.
      if #ids > query.most then return nil end
      for _, id in ipairs(ids) do consider(id) end
    end
  end
  for _, part in ipairs(source.parts) do
    if part.first <= part.last then
      local ids = redis.call('ZRANGE', part.key, part.first, part.last)
      for i = 1, #ids do consider(ids[query.desc and #ids + 1 - i or i]) end
    end
  end
  if #candidates > query.most then return nil end
  return candidates
end
local candidates = not isCounted and candidatesOf() or nil

-- Few enough to examine them all.
if candidates then
  taken(source.word)
  local best, left = {}, 0
  local passing, requestedOf, valueOf = examine(candidates)
  for _, i in ipairs(passing) do
    local value = valueOf[i]
    local item = { id = candidates[i], phase = (byValue and not value) and 2 or 1, score = tonumber(value) or requestedOf[i] }
    if not after or isBefore(after, item) then
      left = left + 1
      item.text = item.score and string.format('%.17g', item.score)
      keepBest(best, item, query.want, isBefore)
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

-- A chunk of postings may have fewer of them behind the cursor than it has.
local function wordStream(store, word)
  local low, high = '[' .. word .. '\0', '(' .. word .. '\1'
  if after and query.desc then high = '[' .. word .. '\0' .. after.id .. '+' end
  if after and not query.desc then
    local near = redis.call('ZRANGE', store.words, '[' .. word .. '\0' .. after.id .. '+', low, 'BYLEX', 'REV', 'LIMIT', 0, 1)[1]
    if near then low = '[' .. near end
  end
  return { fetch = function(stream)
    while true do
      local limit = chunkOf(stream)
      local members = query.desc and redis.call('ZRANGE', store.words, high, low, 'BYLEX', 'REV', 'LIMIT', 0, limit) or redis.call('ZRANGE', store.words, low, high, 'BYLEX', 'LIMIT', 0, limit)
      if #members == 0 then return {} end
      if query.desc then high = '(' .. members[#members] else low = '(' .. members[#members] end
      local items = {}
      for _, id in ipairs(expand(store, members, query.desc)) do
        local isBehind = not after or (query.desc and id < after.id) or (not query.desc and id > after.id)
        if isBehind then items[#items + 1] = { id = id, phase = 1 } end
      end
      if #items > 0 then return items end
    end
  end }
end

-- One for each word that begins so; nil: too many.
local function wordStreams(of)
  local streams = {}
  for _, store in ipairs(stores) do
    local low, high = boundsOf(of)
    while true do
      local member = redis.call('ZRANGE', store.words, low, high, 'BYLEX', 'LIMIT', 0, 1)[1]
      if not member then break end
      if #streams == query.streams then return nil end
      local word = string.sub(member, 1, string.find(member, '\0', 1, true) - 1)
      streams[#streams + 1] = wordStream(store, word)
      low = '[' .. word .. '\1'
    end
  end
  return streams
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
    streams = wordStreams(source.word)
    if streams then taken(source.word) end
  end
  -- What the postings don't give has to be looked at.
  if not streams then isOfPostings = false end
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
