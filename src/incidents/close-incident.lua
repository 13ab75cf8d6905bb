-- close-incident.lua   KEYS 1 incidents (hash)  2 open ones by subject (hash)  3 news (stream)
-- ARGV 1 kind and subject  2 now  3 most news to keep
-- Returns 1 closed, 0 none was open
local id = redis.call('HGET', KEYS[2], ARGV[1])
if not id then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1])
local row = redis.call('HGET', KEYS[1], id)
if not row then return 0 end
local incident = cjson.decode(row)
incident.closedAt = tonumber(ARGV[2])
row = cjson.encode(incident)
redis.call('HSET', KEYS[1], id, row)
redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[3], '*', 'type', 'INCIDENT_CLOSED', 'incident', row)
return 1
