-- Gives a lease back, if it still is the holder's.
--
-- KEYS  1 lease
-- ARGV  1 the holder
-- Returns 1, or 0 where someone else has it.
-- Cost  O(1).
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
