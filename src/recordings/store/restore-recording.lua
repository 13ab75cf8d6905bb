-- restore-recording.lua: one recording comes back from the bucket, with all that the commit script keeps for it but its events.
-- KEYS 1 recording  2 room slot  3 slots by age  4 unsettled  5 outbox  6 epoch (the mark that Redis is whole)  7 rebuild  8 idempotency key  9 event stream  10, 11, 12 postings (see postings.inc.lua)  13.. indexes
-- ARGV 1 step (json): id, room, before (rev of the row it replaces, '0' = there is none), rev, found, slot, unsettled, token ('' = Redis is whole, and its return is an event), event, channel, use, useMs, now
--      2, 3, 4, 5 see recording.inc.lua  6 document  7 its history  8 what the event adds to it
-- Returns {'restored'} | {'kept'} (a row at least as new) | {'older', row} (a row that is older, and not the expected one) | {'superseded'}
local step = cjson.decode(ARGV[1])
-- include recording.inc.lua
-- include recording-row.inc.lua
local whole = redis.call('EXISTS', KEYS[6]) == 1
if step.token == '' then
  if not whole then return { 'superseded' } end
elseif whole or redis.call('HGET', KEYS[7], 'token') ~= step.token then
  return { 'superseded' }
end

local row = readRow(KEYS[1])
local rev = row and (headOf(row))
if rev and tonumber(rev) >= tonumber(step.rev) then return { 'kept' } end
if rev and rev ~= step.before then return { 'older', row } end

local history = #ARGV[7] > 0 and ('h- ' .. #ARGV[7] .. '\n' .. ARGV[7]) or ''
local position = nil
if step.event then
  position = redis.call('XADD', KEYS[9], '*', 'event', step.event)
  history = history .. 'h' .. position .. ' ' .. #ARGV[8] .. '\n' .. ARGV[8]
end
-- No commit made this row.
redis.call('SET', KEYS[1], formatRow(step.rev, '-', '-', '-', 'd', ARGV[6], step.found, history))
if step.slot then
  -- A slot may have been freed after the copy was made; whoever holds the room was requested last: it was free then, so an older
  -- holder is over, and a Redis that was set back, and does not know it yet, has forgotten that.
  local holder = redis.call('HGET', KEYS[2], 'recording')
  if not holder or holder < step.id then
    takeSlot(KEYS[2], KEYS[3], step)
  end
else
  freeSlot(KEYS[2], KEYS[3], step)
end
writeAround(step, KEYS[4], KEYS[5])
if step.use then redis.call('SET', KEYS[8], step.use, 'PX', step.useMs, 'NX') end
if position then redis.call('PUBLISH', step.channel, '"' .. position .. '"') end
return { 'restored' }
