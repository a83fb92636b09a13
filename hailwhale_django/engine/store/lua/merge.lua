-- Replaces some parts of a sketch's cell by what they come to, merged; parts before and behind them stay.
--
-- KEYS  1 tile: hash
-- ARGV  1 cell   2 how many bytes are before these parts   3 how many bytes they have   4 their SHA-1
--       5 the merged part
-- Returns 1, or 0 where the cell does not have these bytes there any more and nothing was done.
-- Cost  O(bytes of the cell).
local bytes, before, length = redis.call('HGET', KEYS[1], ARGV[1]) or '', tonumber(ARGV[2]), tonumber(ARGV[3])
if redis.sha1hex(string.sub(bytes, before + 1, before + length)) ~= ARGV[4] then return 0 end
bytes = string.sub(bytes, 1, before) .. ARGV[5] .. string.sub(bytes, before + length + 1)
redis.call('HSET', KEYS[1], ARGV[1], bytes)
return 1
