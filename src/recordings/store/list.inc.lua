-- list.inc.lua: shared by the scripts that read lists. Needs `query.desc`.
local function before(a, b)
  if a.phase ~= b.phase then return a.phase < b.phase end
  if a.score ~= b.score then
    if query.desc then return a.score > b.score end
    return a.score < b.score
  end
  if query.desc then return a.id > b.id end
  return a.id < b.id
end

-- `also`: conditions, each as the numbers of the keys of which one has to hold the id.
local function meetsAll(also, id)
  for _, alternatives in ipairs(also) do
    local met = false
    for _, key in ipairs(alternatives) do
      if redis.call('ZSCORE', KEYS[key], id) then met = true break end
    end
    if not met then return false end
  end
  return true
end

local function lastEventId(key)
  if redis.call('EXISTS', key) == 0 then return '0-0' end
  local info = redis.call('XINFO', 'STREAM', key)
  for i = 1, #info, 2 do if info[i] == 'last-generated-id' then return info[i + 1] end end
  return '0-0'
end

local function put(list, item)
  list[#list + 1] = item.id
  list[#list + 1] = item.text
  list[#list + 1] = item.phase
end
