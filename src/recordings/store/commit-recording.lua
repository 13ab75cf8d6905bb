-- commit-recording.lua: one step of one recording, all or nothing.
-- KEYS 1 recording  2 room slot  3 slots by age  4 event stream  5 outbox  6 unsettled  7 epoch (the mark that Redis is whole)  8 idempotency key  9 room  10 lately deleted  11 search words  12.. indexes
-- ARGV 1 step (json): token (names this very commit), id, room, rev (expected, '0' = must be new), nextRev, doc, event, history, slot (take|free|keep), unsettled, remove, use, useMs, inRoom (its room has to be there), now, channel
--      2, 3, 4, 5 see recording.inc.lua
-- Returns {'done', epoch, stream id or ''} | {'moved-on'} | {'slot-taken', recording} | {'room-gone'} | {'key-used', use} | {'redis-was-reset'}
local step = cjson.decode(ARGV[1])
-- include recording.inc.lua
local epoch = redis.call('GET', KEYS[7])
if not epoch then return { 'redis-was-reset' } end

local row = redis.call('HMGET', KEYS[1], 'rev', 'token', 'position', 'created')
local rev = row[1]
-- The same commit again: its first answer was lost on the way. A creation is known by its own token also when the row has gone on since.
if rev and rev == step.nextRev and row[2] == step.token then return { 'done', epoch, row[3] } end
if step.remove and not rev and redis.call('ZSCORE', KEYS[10], step.id) == step.now then return { 'done', epoch, '' } end
if step.rev == '0' and row[4] == step.token then
  local first = redis.call('HGET', KEYS[1], 'history') or ''
  local of, position = string.match(first, '^([^/]*)/(%S+) ')
  return { 'done', of or epoch, position or '' }
end
if step.rev == '0' then
  if step.use then
    local used = redis.call('GET', KEYS[8])
    if used then return { 'key-used', used } end
  end
  if rev then return { 'moved-on' } end
  if step.inRoom and redis.call('EXISTS', KEYS[9]) == 0 then return { 'room-gone' } end
  local holder = redis.call('HGET', KEYS[2], 'recording')
  if holder then return { 'slot-taken', holder } end
  if step.use then redis.call('SET', KEYS[8], step.use, 'PX', step.useMs) end
elseif rev ~= step.rev then
  return { 'moved-on' }
end

if step.slot == 'take' then takeSlot(KEYS[2], KEYS[3], step) end
if step.slot == 'free' then freeSlot(KEYS[2], KEYS[3], step) end

local position, fields = '', { 'rev', step.nextRev, 'doc', step.doc, 'token', step.token, 'position', '' }
local function set(field, value)
  fields[#fields + 1] = field
  fields[#fields + 1] = value
end
if step.event then
  position = redis.call('XADD', KEYS[4], '*', 'event', step.event)
  fields[8] = position
  local history = rev and redis.call('HGET', KEYS[1], 'history')
  local line = epoch .. '/' .. position .. ' ' .. step.history
  set('history', history and (history .. '\n' .. line) or line)
end

if step.remove then
  redis.call('DEL', KEYS[1])
  redis.call('ZADD', KEYS[10], step.now, step.id)
  -- Who looks through the bucket forgets them, once nothing of theirs is left there; this is only a bound.
  redis.call('ZREMRANGEBYRANK', KEYS[10], 0, -1000001)
else
  if step.rev == '0' then set('created', step.token) end
  if search.row then set('found', search.row) end
  redis.call('HSET', KEYS[1], unpack(fields))
end
writeAround(step, KEYS[6], KEYS[5])

if position ~= '' then redis.call('PUBLISH', step.channel, '"' .. position .. '"') end
return { 'done', epoch, position }
