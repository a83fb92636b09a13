-- Replaces the parts that a sketch's cell begins with by what they come to, merged; parts behind them stay.
--
-- KEYS  1 tile: hash
-- ARGV  1 cell   2 how many bytes were merged   3 their SHA-1   4 the merged part
-- Returns 1, or 0 where the cell does not begin with these bytes any more and nothing was done.
-- Cost  O(bytes of the cell).
local bytes, length = redis.call('HGET', KEYS[1], ARGV[1]) or '', tonumber(ARGV[2])
if #bytes < length or redis.sha1hex(string.sub(bytes, 1, length)) ~= ARGV[3] then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[4] .. string.sub(bytes, length + 1))
return 1
