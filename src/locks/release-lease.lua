-- release-lease.lua   KEYS 1 lease (hash)  2 names of leases
-- ARGV 1 name  2 token                            Returns 1 released, 0 it was not mine any more
if redis.call('HGET', KEYS[1], 'token') ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
