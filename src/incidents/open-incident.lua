-- open-incident.lua   KEYS 1 incidents (hash)  2 open ones by subject (hash)  3 by age (zset)  4 news (stream)
-- ARGV 1 id  2 incident (json)  3 kind and subject  4 now  5 detail  6 most closed ones to keep  7 most news to keep
-- Returns 1 opened, 0 it is open already (its detail is brought up to date)
local known = redis.call('HGET', KEYS[2], ARGV[3])
if known then
  local row = redis.call('HGET', KEYS[1], known)
  if row then
    local incident = cjson.decode(row)
    if incident.detail ~= ARGV[5] then
      incident.detail = ARGV[5]
      redis.call('HSET', KEYS[1], known, cjson.encode(incident))
    end
    return 0
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
local extra = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[6])
if extra > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, extra - 1)) do
    local row = redis.call('HGET', KEYS[1], id)
    if not row or cjson.decode(row).closedAt then
      redis.call('ZREM', KEYS[3], id)
      redis.call('HDEL', KEYS[1], id)
    end
  end
end
redis.call('XADD', KEYS[4], 'MAXLEN', '~', ARGV[7], '*', 'type', 'INCIDENT_OPENED', 'incident', ARGV[2])
return 1
