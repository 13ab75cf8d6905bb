-- commit-recording.lua: one step of one recording, all or nothing.
-- KEYS 1 recording  2 room slot  3 slots by age  4 event stream  5 outbox  6 unsettled  7 epoch (the mark that Redis is whole)  8 idempotency key  9 room  10 lately deleted  11, 12, 13 postings (see postings.inc.lua)  14.. indexes
-- ARGV 1 step (json): token (names this very commit), id, room, rev (expected, '0' = must be new), nextRev, found, event, slot (take|free|keep), unsettled, remove, use, useMs, inRoom (its room has to be there), now, channel
--      2, 3, 4, 5 see recording.inc.lua  6 document  7 what the event adds to its history
-- Returns {'done', epoch, stream id or ''} | {'moved-on'} | {'slot-taken', recording} | {'room-gone'} | {'key-used', use} | {'redis-was-reset'}
local step = cjson.decode(ARGV[1])
-- include recording.inc.lua
-- include recording-row.inc.lua
local epoch = redis.call('GET', KEYS[7])
if not epoch then return { 'redis-was-reset' } end

local row = readRow(KEYS[1])
local rev, token, created, position
if row then rev, token, created, position = headOf(row) end
local mark = markOf(step.token)
-- The same commit again: its first answer was lost on the way. A creation is known by its own token also when the row has gone on since.
if rev == step.nextRev and token == mark then return { 'done', epoch, position ~= '-' and position or '' } end
if step.remove and not rev and redis.call('ZSCORE', KEYS[10], step.id) == step.now then return { 'done', epoch, '' } end
if step.rev == '0' and created == mark then
  local history = historyOf(row)
  local of, first = string.match(history, '^H[^\n]*\n([^/]*)/(%S+) ')
  return { 'done', of or epoch, first or string.match(history, '^h(%S+)') or '' }
end
if step.rev == '0' then
  if step.use then
    local used = redis.call('GET', KEYS[8])
    if used then return { 'key-used', used } end
  end
  -- A creation that is carried out again when its recording is deleted already must not bring it back.
  if rev or redis.call('ZSCORE', KEYS[10], step.id) then return { 'moved-on' } end
  if step.inRoom and redis.call('EXISTS', KEYS[9]) == 0 then return { 'room-gone' } end
  local holder = redis.call('HGET', KEYS[2], 'recording')
  if holder then return { 'slot-taken', holder } end
  if step.use then redis.call('SET', KEYS[8], step.use, 'PX', step.useMs) end
elseif rev ~= step.rev then
  return { 'moved-on' }
end

if step.slot == 'take' then takeSlot(KEYS[2], KEYS[3], step) end
if step.slot == 'free' then freeSlot(KEYS[2], KEYS[3], step) end

position = '-'
if step.event then position = redis.call('XADD', KEYS[4], '*', 'event', step.event) end

if step.remove then
  redis.call('DEL', KEYS[1])
  redis.call('ZADD', KEYS[10], step.now, step.id)
  -- Who looks through the bucket forgets them, once nothing of theirs is left there; this is only a bound.
  redis.call('ZREMRANGEBYRANK', KEYS[10], 0, -1000001)
else
  local history = row and historyOf(row) or ''
  if step.event then history = history .. 'h' .. position .. ' ' .. #ARGV[7] .. '\n' .. ARGV[7] end
  redis.call('SET', KEYS[1], formatRow(step.nextRev, mark, created or mark, position, 'd', ARGV[6], step.found, history))
end
writeAround(step, KEYS[6], KEYS[5])

if step.event then redis.call('PUBLISH', step.channel, '"' .. position .. '"') end
return { 'done', epoch, step.event and position or '' }
