-- list-leases.lua   KEYS 1 names of leases  2 prefix of a lease's key
-- Returns now, then name, owner, token, since, until of each lease, oldest first. Forgets the names of leases that ran out.
local time = redis.call('TIME')
local out = { time[1] * 1000 + math.floor(time[2] / 1000) }
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local lease = redis.call('HMGET', KEYS[2] .. name, 'owner', 'token', 'since', 'until')
  if lease[2] then
    out[#out + 1] = { name, lease[1], lease[2], tonumber(lease[3]), tonumber(lease[4]) }
  else
    redis.call('ZREM', KEYS[1], name)
  end
end
return out
