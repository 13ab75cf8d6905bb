-- advance-bulk-deletion.lua: one step of one bulk deletion, all or nothing.
-- KEYS 1 row  2 pending (zset by due time)  3 work (hash)  4 deleted (list)  5 failed (zset by order)  6 unseen (list)  7 unfinished
--      and where it may finish: 8 finished ones of its caller  9 those that the caller has under way
-- ARGV 1 step (json): id, channel, touchAt, attempt, claimed [[id, work]], later [[id, work, due]], deleted [id], forgotten [id],
--        failed [[id, failure, '1' = unless claimed]], found [id], collectedTo, collected ('1'), finishAt, keepSeconds; each may be missing
-- Returns how many were new among what was found
local step = cjson.decode(ARGV[1])
local function each(list) return ipairs(list or {}) end
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HEXISTS', KEYS[1], 'finishedAt') == 1 then return 0 end
local function order() return redis.call('HINCRBY', KEYS[1], 'order', 1) end
local function pending(id) return redis.call('ZSCORE', KEYS[2], id) end

if step.attempt then
  redis.call('HSET', KEYS[1], 'status', 'RUNNING')
  if step.attempt > tonumber(redis.call('HGET', KEYS[1], 'attempt')) then redis.call('HSET', KEYS[1], 'attempt', step.attempt) end
end
for _, one in each(step.claimed) do
  if pending(one[1]) then redis.call('HSET', KEYS[3], one[1], one[2]) end
end
for _, one in each(step.later) do
  if pending(one[1]) then
    redis.call('HSET', KEYS[3], one[1], one[2])
    redis.call('ZADD', KEYS[2], one[3], one[1])
  end
end
for _, id in each(step.forgotten) do
  -- Of one that was settled by a faster process, its failure stands there.
  if redis.call('ZREM', KEYS[2], id) == 1 then redis.call('HDEL', KEYS[3], id) end
end
for _, id in each(step.deleted) do
  if redis.call('ZREM', KEYS[2], id) == 1 then
    redis.call('RPUSH', KEYS[4], id)
    redis.call('HDEL', KEYS[3], id)
  end
end
for _, one in each(step.failed) do
  local work = redis.call('HGET', KEYS[3], one[1])
  local claimed = one[3] == '1' and work and cjson.decode(work).claim
  if not claimed and redis.call('ZREM', KEYS[2], one[1]) == 1 then
    redis.call('ZADD', KEYS[5], order(), one[1])
    redis.call('HSET', KEYS[3], one[1], one[2])
  end
end
local new = 0
for _, id in each(step.found) do
  if not redis.call('ZSCORE', KEYS[5], id) and not pending(id) then
    redis.call('ZADD', KEYS[2], order(), id)
    new = new + 1
  end
end
if step.collectedTo then redis.call('HSET', KEYS[1], 'collectedTo', step.collectedTo) end
if step.collected then redis.call('HSET', KEYS[1], 'collected', '1') end

if not step.finishAt then
  redis.call('ZADD', KEYS[7], step.touchAt, step.id)
elseif redis.call('ZCARD', KEYS[2]) == 0 then
  local status = redis.call('ZCARD', KEYS[5]) + redis.call('LLEN', KEYS[6]) == 0 and 'COMPLETED' or 'COMPLETED_WITH_FAILURES'
  redis.call('HSET', KEYS[1], 'status', status, 'finishedAt', step.finishAt)
  redis.call('ZREM', KEYS[7], step.id)
  redis.call('ZADD', KEYS[8], step.finishAt, step.id)
  redis.call('EXPIRE', KEYS[8], 7 * 86400)
  redis.call('ZREM', KEYS[9], step.id)
  for i = 1, 6 do redis.call('EXPIRE', KEYS[i], step.keepSeconds) end
end
redis.call('PUBLISH', step.channel, step.id)
return new
