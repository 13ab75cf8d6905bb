-- end-of-events.lua   KEYS 1 epoch  2 event stream  3 floor
-- Returns the epoch and the id that was given last, also where that entry was dropped.
local id = redis.call('GET', KEYS[3]) or '0-0'
if redis.call('EXISTS', KEYS[2]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[2])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then id = info[i + 1] end
  end
end
return { redis.call('GET', KEYS[1]), id }
