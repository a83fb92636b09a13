-- Replaces a value if it is still the one that was read: so of several writers none undoes what another has done.
--
-- KEYS  1 value: string
-- ARGV  1 the SHA-1 of the value that was read, "" for nothing   2 the value to write
-- Returns 1, or 0 where another value is there, or something that is no string.
-- Cost  O(length of the values).
local call = redis.call
local kind = call('TYPE', KEYS[1]).ok
local found = ''
if kind == 'string' then
  found = redis.sha1hex(call('GET', KEYS[1]))
elseif kind ~= 'none' then
  return 0
end
if found ~= ARGV[1] then return 0 end
call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
return 1
