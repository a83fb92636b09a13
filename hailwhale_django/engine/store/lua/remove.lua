-- Takes paths of one counter off their rows and out of their tables.
--
-- KEYS  1 rows: hash   2 tables: hash   3 names and 4 numbers of the table that lists the first path
--       then the names and numbers of tables that go altogether
-- ARGV  1 the next free row   2 the first path's table   3 its name there   then the paths
-- Returns 1, or 0 where another row was given meanwhile and nothing was done.
-- Cost  O(children of the table + paths).
local table_name, name = ARGV[2], ARGV[3]

if (redis.call('HGET', KEYS[2], '') or '0') ~= ARGV[1] then return 0 end

if redis.call('HGET', KEYS[1], ARGV[4]) then
  local names, numbers = {}, {}
  local all = redis.call('GET', KEYS[4]) or ''
  local i, crossings = 0, 0
  for line in string.gmatch(redis.call('GET', KEYS[3]) or '', '([^\n]*)\n') do
    if line ~= name then
      names[#names + 1] = line .. '\n'
      numbers[#numbers + 1] = string.sub(all, i * 4 + 1, i * 4 + 4)
      if string.sub(line, 1, 2) == '\195\151' then crossings = crossings + 1 end
    end
    i = i + 1
  end
  if #names > 0 then
    redis.call('SET', KEYS[3], table.concat(names))
    redis.call('SET', KEYS[4], table.concat(numbers))
    redis.call('HSET', KEYS[2], table_name, #names - crossings)
  else
    redis.call('DEL', KEYS[3], KEYS[4])
    redis.call('HDEL', KEYS[2], table_name)
  end
end

for i = 4, #ARGV do
  redis.call('HDEL', KEYS[1], ARGV[i])
  redis.call('HDEL', KEYS[2], ARGV[i])
end
for k = 5, #KEYS do redis.call('DEL', KEYS[k]) end
return 1
