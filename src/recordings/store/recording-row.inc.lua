-- recording-row.inc.lua: rows as the scripts see them; what they are made of is in stored-row.ts.
-- What a commit is known by when it is sent again.
local function markOf(token) return string.sub(redis.sha1hex(token), 1, 10) end

local function formatRow(rev, token, created, position, kind, document, found, history)
  return table.concat({ '2 ', rev, ' ', token, ' ', created, ' ', position, ' ', kind, #document, '\n', found, '\n\n', document, history })
end

-- The row that an earlier version wrote as a hash, put in its place as this version writes them. Nil: there is none.
local function renewRow(key)
  local was = redis.call('HMGET', key, 'rev', 'doc', 'token', 'created', 'position', 'history', 'found')
  if not was[2] then return nil end
  local found = was[7]
  if not found then
    local doc = cjson.decode(was[2])
    found = string.format('%s %.0f -', doc.status, doc.requestedAt)
  end
  local history = was[6] and ('H- ' .. #was[6] .. '\n' .. was[6]) or ''
  local position = (was[5] and was[5] ~= '') and was[5] or '-'
  local row = formatRow(was[1], was[3] and markOf(was[3]) or '-', was[4] and markOf(was[4]) or '-', position, 'D', was[2], found, history)
  -- Where Redis takes no writes it stays as it was.
  redis.pcall('SET', key, row)
  return row
end

-- Nil: there is none.
local function readRow(key)
  local row = redis.pcall('GET', key)
  if type(row) == 'string' then return row end
  if not row then return nil end
  if not string.find(row.err, 'WRONGTYPE', 1, true) then error(row.err) end
  return renewRow(key)
end

-- rev, token, created, position, kind of the document, its length. A row of a later version is not taken for none.
local function headOf(row)
  if not string.find(row, '^2 %d+ %S+ %S+ %S+ %a%d+\n') then error('a recording has a row of a format that this version does not read') end
  return string.match(row, '^2 (%d+) (%S+) (%S+) (%S+) (%a)(%d+)\n')
end

local function historyOf(row)
  local _, _, _, _, _, length = headOf(row)
  local _, last = string.find(row, '\n\n', 1, true)
  return string.sub(row, last + tonumber(length) + 1)
end

local function revOf(key)
  local row = readRow(key)
  return row and (headOf(row)) or ''
end
