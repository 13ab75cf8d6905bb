-- restore-recording.lua: one recording comes back from the bucket, with all that the commit script keeps for it but its events.
-- KEYS 1 recording  2 room slot  3 slots by age  4 unsettled  5 outbox  6 epoch (the mark that Redis is whole)  7 rebuild  8 idempotency key  9 event stream  10 search words  11.. indexes
-- ARGV 1 step (json): id, room, before (rev of the row it replaces, '0' = there is none), rev, doc, history, slot, unsettled, token ('' = Redis is whole, and its return is an event), event, line (of the history, for that event), channel, use, useMs, now
--      2, 3, 4, 5 see recording.inc.lua
-- Returns {'restored'} | {'kept'} (a row at least as new) | {'older', doc} (a row that is older, and not the expected one) | {'superseded'}
local step = cjson.decode(ARGV[1])
-- include recording.inc.lua
local whole = redis.call('EXISTS', KEYS[6]) == 1
if step.token == '' then
  if not whole then return { 'superseded' } end
elseif whole or redis.call('HGET', KEYS[7], 'token') ~= step.token then
  return { 'superseded' }
end

local rev = redis.call('HGET', KEYS[1], 'rev')
if rev and tonumber(rev) >= tonumber(step.rev) then return { 'kept' } end
if rev and rev ~= step.before then return { 'older', redis.call('HGET', KEYS[1], 'doc') } end

local history = step.history
local position = nil
if step.event then
  position = redis.call('XADD', KEYS[9], '*', 'event', step.event)
  history = history .. '\n' .. redis.call('GET', KEYS[6]) .. '/' .. position .. ' ' .. step.line
end
redis.call('HSET', KEYS[1], 'rev', step.rev, 'doc', step.doc, 'history', history)
if search.row then redis.call('HSET', KEYS[1], 'found', search.row) end
-- No commit made this row.
redis.call('HDEL', KEYS[1], 'token', 'position', 'created')
if step.slot then
  -- A slot may have been freed after the copy was made; whoever holds the room was requested last. In a Redis that is whole, whoever holds it does.
  local holder = redis.call('HGET', KEYS[2], 'recording')
  if not holder or (not whole and holder < step.id) then
    takeSlot(KEYS[2], KEYS[3], step)
  end
else
  freeSlot(KEYS[2], KEYS[3], step)
end
writeAround(step, KEYS[4], KEYS[5])
if step.use then redis.call('SET', KEYS[8], step.use, 'PX', step.useMs, 'NX') end
if position then redis.call('PUBLISH', step.channel, '"' .. position .. '"') end
return { 'restored' }
