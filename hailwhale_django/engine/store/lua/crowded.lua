-- Which tables of a counter have little room left.
--
-- KEYS  1 tables: hash, table -> number of children; "" -> the next free row   2 rows: hash   3 metrics: set
-- ARGV  1 the fewest children that are many   2 the most tables to look through
-- Returns the number of rows and of metrics, then table, number of children ...
-- Cost  O(tables), of a counter with more than may be looked through O(1).
local call = redis.call
local answer = {call('HLEN', KEYS[2]), call('SCARD', KEYS[3])}
if call('HLEN', KEYS[1]) <= tonumber(ARGV[2]) then
  local tables = call('HGETALL', KEYS[1])
  for i = 1, #tables, 2 do
    if tables[i] ~= '' and tonumber(tables[i + 1]) >= tonumber(ARGV[1]) then
      answer[#answer + 1] = tables[i]
      answer[#answer + 1] = tonumber(tables[i + 1])
    end
  end
end
return answer
