-- Removes keys of one counter, if they are all that there are.
--
-- KEYS  1 tables: hash   2 metrics: set   3 spans: sorted set   then the keys that go, these three among them or not
-- ARGV  1 the next free row   2 number of metrics   3 the spans, a space between them   4 a metric that goes, or ""
-- Returns 1, or 0 where rows, metrics or spans were added meanwhile and nothing was done.
-- Cost  O(keys). The server frees the memory in the background.
local CHUNK = 1000

if (redis.call('HGET', KEYS[1], '') or '0') ~= ARGV[1]
    or redis.call('SCARD', KEYS[2]) ~= tonumber(ARGV[2])
    or table.concat(redis.call('ZRANGE', KEYS[3], 0, -1), ' ') ~= ARGV[3] then
  return 0
end
if ARGV[4] ~= '' then redis.call('SREM', KEYS[2], ARGV[4]) end
for first = 4, #KEYS, CHUNK do
  redis.call('UNLINK', unpack(KEYS, first, math.min(first + CHUNK - 1, #KEYS)))
end
return 1
