-- postings.inc.lua: which recordings have which words, in a sorted set of members in the order of their bytes, and a hash.
-- A member is a posting, `<word>\0<id>`, or a chunk of them, `<word>\0<id>+`, of no id before that one and all before the word's next member. The hash has
-- the ids of a chunk by its member, in order and without their `rec_`, and by each word the number of its postings where there is more than one.
local ID_LENGTH = 26
local MOST_IN_CHUNK = 64

local function isChunk(member) return string.sub(member, -1) == '+' end

-- The first place in a chunk, from 0, whose id is not before this one, and whether it is this one.
local function placeIn(ids, id)
  local low, high = 0, #ids / ID_LENGTH
  while low < high do
    local middle = math.floor((low + high) / 2)
    if string.sub(ids, middle * ID_LENGTH + 1, (middle + 1) * ID_LENGTH) < id then low = middle + 1 else high = middle end
  end
  return low, string.sub(ids, low * ID_LENGTH + 1, (low + 1) * ID_LENGTH) == id
end

-- Of one recording. `earlier`: where an earlier version kept each posting as a member, and no chunks.
local function changePostings(words, hash, earlier, id, add, remove)
  local short = string.sub(id, 5)
  local function single(word, of) return word .. '\0rec_' .. of end
  -- The last member of the word that is not behind the id, else the first one.
  local near, fields = {}, {}
  local function find(word, orBehind)
    local member = redis.call('ZRANGE', words, '[' .. word .. '\0' .. id .. '+', '[' .. word .. '\0', 'BYLEX', 'REV', 'LIMIT', 0, 1)[1]
    if not member and orBehind then
      member = redis.call('ZRANGE', words, '[' .. word .. '\0', '(' .. word .. '\1', 'BYLEX', 'LIMIT', 0, 1)[1]
    end
    if member then
      near[word] = member
      fields[#fields + 1] = word
      if isChunk(member) then fields[#fields + 1] = member end
    end
  end
  for _, word in ipairs(add) do find(word, true) end
  for _, word in ipairs(remove) do find(word, false) end
  local held = {}
  if #fields > 0 then
    for i, value in ipairs(redis.call('HMGET', hash, unpack(fields))) do held[fields[i]] = value or nil end
  end

  local put, drop, set, unset = {}, {}, {}, {}
  local function putMember(member)
    put[#put + 1] = 0
    put[#put + 1] = member
  end
  local function setField(field, value)
    set[#set + 1] = field
    set[#set + 1] = value
  end
  local function count(word, by)
    local postings = tonumber(held[word] or 1) + by
    if postings > 1 then setField(word, postings) elseif held[word] then unset[#unset + 1] = word end
  end
  local function putChunk(word, ids)
    local member = single(word, string.sub(ids, 1, ID_LENGTH)) .. '+'
    putMember(member)
    setField(member, ids)
  end
  local function dropChunk(member)
    drop[#drop + 1] = member
    unset[#unset + 1] = member
  end

  for _, word in ipairs(add) do
    local member = near[word]
    if not member then
      putMember(single(word, short))
    elseif not isChunk(member) then
      local other = string.sub(member, -ID_LENGTH)
      if other ~= short then
        drop[#drop + 1] = member
        putChunk(word, other < short and other .. short or short .. other)
        count(word, 1)
      end
    else
      local ids = held[member]
      local place, isThere = placeIn(ids, short)
      if not isThere then
        local with = string.sub(ids, 1, place * ID_LENGTH) .. short .. string.sub(ids, place * ID_LENGTH + 1)
        local isFull = #ids / ID_LENGTH >= MOST_IN_CHUNK
        local isBefore = short < string.sub(member, -ID_LENGTH - 1, -2)
        if isFull and (isBefore or place * ID_LENGTH == #ids) then
          putMember(single(word, short))
        elseif isFull then
          local half = MOST_IN_CHUNK / 2 * ID_LENGTH
          setField(member, string.sub(with, 1, half))
          putChunk(word, string.sub(with, half + 1))
        elseif isBefore then
          dropChunk(member)
          putChunk(word, with)
        else
          setField(member, with)
        end
        count(word, 1)
      end
    end
  end
  for _, word in ipairs(remove) do
    local member = near[word]
    if member and not isChunk(member) then
      if member == single(word, short) then
        drop[#drop + 1] = member
        count(word, -1)
      end
    elseif member then
      local ids = held[member]
      local place, isThere = placeIn(ids, short)
      if isThere then
        local without = string.sub(ids, 1, place * ID_LENGTH) .. string.sub(ids, (place + 1) * ID_LENGTH + 1)
        if #without > ID_LENGTH then
          setField(member, without)
        else
          dropChunk(member)
          if #without > 0 then putMember(single(word, without)) end
        end
        count(word, -1)
      end
    end
  end

  local function send(command, key, items)
    for from = 1, #items, 1000 do redis.call(command, key, unpack(items, from, math.min(from + 999, #items))) end
  end
  send('ZREM', words, drop)
  send('ZADD', words, put)
  send('HDEL', hash, unset)
  send('HSET', hash, set)
  if #add + #remove > 0 and redis.call('EXISTS', earlier) == 1 then
    local members = {}
    for _, list in ipairs({ add, remove }) do
      for _, word in ipairs(list) do members[#members + 1] = word .. '\0' .. id end
    end
    send('ZREM', earlier, members)
  end
end
