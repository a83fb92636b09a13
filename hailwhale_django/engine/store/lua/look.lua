-- What is under a key, whatever it is.
--
-- KEYS  1 any
-- Returns its type ("none" where there is nothing) and, if it is a string, its value.
-- Cost  O(length of the value).
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'string' then return {kind, redis.call('GET', KEYS[1])} end
return {kind}
