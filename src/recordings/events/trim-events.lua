-- trim-events.lua: drops events older than the given id and remembers the last one that was dropped.
-- KEYS 1 event stream  2 floor  3 epoch  4 places up to which deliveries were filed (hash)  5 webhook endpoints (hash)
-- ARGV 1 stream id: older ones go     Returns the floor, or ''
local before = ARGV[1]
if redis.call('EXISTS', KEYS[5]) == 1 then
  -- What an endpoint has not been applied of yet stays, however old.
  local epoch, id = string.match(redis.call('HGET', KEYS[4], 'events') or '', '^(.*)/(.*)$')
  local applied = (id and epoch == redis.call('GET', KEYS[3])) and id or '0-0'
  local function parts(text)
    local ms, seq = string.match(text, '^(%d+)-(%d+)$')
    return tonumber(ms), tonumber(seq)
  end
  local toldMs, toldSeq = parts(applied)
  local ms, seq = parts(before)
  if toldMs < ms or (toldMs == ms and toldSeq < seq) then before = applied end
end
local dropped = redis.call('XREVRANGE', KEYS[1], '(' .. before, '-', 'COUNT', 1)[1]
if dropped then
  redis.call('SET', KEYS[2], dropped[1])
  redis.call('XTRIM', KEYS[1], 'MINID', before)
end
return redis.call('GET', KEYS[2]) or ''
