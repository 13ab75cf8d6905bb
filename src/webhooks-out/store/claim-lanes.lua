-- claim-lanes.lua: lanes of one endpoint that are due, for who delivers their first deliveries; they are another's when the claim ends.
-- KEYS 1 due lanes (zset)     ARGV 1 endpoint  2 prefix of our keys  3 now  4 end of the claim  5 most
-- Returns the documents of the first deliveries
local lanes = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[3], 'BYSCORE', 'LIMIT', 0, ARGV[5])
local found = {}
for _, lane in ipairs(lanes) do
  local list = ARGV[2] .. 'lane:' .. ARGV[1] .. ':' .. lane
  local doc = false
  repeat
    local id = redis.call('LINDEX', list, 0)
    doc = id and redis.call('GET', ARGV[2] .. 'delivery:' .. id)
    -- A delivery that is gone holds nobody up.
    if id and not doc then redis.call('LPOP', list) end
  until doc or not id
  if doc then
    redis.call('ZADD', KEYS[1], ARGV[4], lane)
    found[#found + 1] = doc
  else
    redis.call('ZREM', KEYS[1], lane)
  end
end
return found
