-- read-row.lua   KEYS 1 epoch  2 recording
-- Returns {'redis-was-reset'} | { epoch } (there is no row) | { epoch, row }
-- include recording-row.inc.lua
local epoch = redis.call('GET', KEYS[1])
if not epoch then return { 'redis-was-reset' } end
return { epoch, readRow(KEYS[2]) }
