-- list.inc.lua: shared by the scripts that read lists. Needs `query.desc`, `query.prefix` of recordings, and the epoch as the first key.
-- include recording-row.inc.lua
local function before(a, b)
  if a.phase ~= b.phase then return a.phase < b.phase end
  if a.score ~= b.score then
    if query.desc then return a.score > b.score end
    return a.score < b.score
  end
  if query.desc then return a.id > b.id end
  return a.id < b.id
end

-- As many as are surely taken in one call.
local AT_ONCE = 1000

-- The score of each id in the order of the ids, false where it has none.
local function scoresOf(key, ids)
  local scores = {}
  for from = 1, #ids, AT_ONCE do
    local some = redis.call('ZMSCORE', key, unpack(ids, from, math.min(from + AT_ONCE - 1, #ids)))
    for i = 1, #some do scores[from + i - 1] = some[i] end
  end
  return scores
end

-- Those of the ids that meet all conditions, as a set. `also`: conditions, each as the numbers of the keys of which one has to hold the id.
local function meeting(also, ids)
  local left, met = ids, {}
  for _, id in ipairs(ids) do met[id] = true end
  for _, alternatives in ipairs(also) do
    if #left == 0 then break end
    met = {}
    for _, number in ipairs(alternatives) do
      local scores = scoresOf(KEYS[number], left)
      for i, id in ipairs(left) do if scores[i] then met[id] = true end end
    end
    local passed = {}
    for _, id in ipairs(left) do if met[id] then passed[#passed + 1] = id end end
    left = passed
  end
  return met
end

local epoch = nil
-- Read with the first rows, or alone where there were none.
local function readEpoch()
  if epoch == nil then epoch = redis.call('GET', KEYS[1]) end
  return epoch
end

-- The rows of the ids in their order, false where there is none.
local function rowsOf(ids)
  local rows = {}
  for from = 1, #ids, AT_ONCE do
    local names = { KEYS[1] }
    for i = from, math.min(from + AT_ONCE - 1, #ids) do names[#names + 1] = query.prefix .. ids[i] end
    local some = redis.call('MGET', unpack(names))
    epoch = some[1]
    for i = 2, #names do rows[from + i - 2] = some[i] or readRow(names[i]) or false end
  end
  return rows
end

local function lastEventId(key)
  local info = redis.pcall('XINFO', 'STREAM', key)
  if info.err and not string.find(info.err, 'no such key', 1, true) then error(info.err) end
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then return info[i + 1] end end
  return '0-0'
end

local function put(list, item)
  list[#list + 1] = item.id
  list[#list + 1] = item.text
  list[#list + 1] = item.phase
end

-- Status, instant of the request and room, as a row says them.
local function termsOf(row) return string.match(row, '\n(%S+) (%S+) (%S+)') end

-- The first of the items (in order, from number `first` on) with their rows, until `want` are given; `gone` gets those without one.
-- Answers how many were given, how many were passed, and the last one passed.
local function giveRows(items, first, want, rows, gone)
  local given, at = 0, first
  while at <= #items and given < want do
    local ids = {}
    for i = at, math.min(#items, at + want - given - 1) do ids[#ids + 1] = items[i].id end
    for i, row in ipairs(rowsOf(ids)) do
      local item = items[at]
      at = at + 1
      if row then
        given = given + 1
        if not item.text then
          local _, requested = termsOf(row)
          item.text = requested
        end
        put(rows, item)
        rows[#rows + 1] = row
      else
        gone[#gone + 1] = item.id
      end
    end
  end
  return given, at - first, items[at - 1]
end

-- Puts the item where it belongs among the best ones, of which there are no more than `want`. `isBefore`: the order.
local function keepBest(best, item, want, isBefore)
  if #best == want and isBefore(best[want], item) then return end
  local low, high = 1, #best + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if isBefore(best[middle], item) then low = middle + 1 else high = middle end
  end
  table.insert(best, low, item)
  if #best > want then best[#best] = nil end
end
