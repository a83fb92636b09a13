-- Takes paths of one counter off their rows and out of their tables, and clears their cells.
--
-- KEYS  1 rows: hash   2 tables: hash   3 names and 4 numbers of the table that lists the first path
--       then the names and numbers of tables that go altogether (ARGV[1] keys), then tiles
-- ARGV  1 number of keys that go   2 number of paths   3 the first path's table   4 its name there   paths...
--       then for each tile: first cell, number of cells
-- Cost  O(children of the table + cells).
local going, paths = tonumber(ARGV[1]), tonumber(ARGV[2])
local table_name, name = ARGV[3], ARGV[4]

local row = redis.call('HGET', KEYS[1], ARGV[5])
if row then
  local names, numbers = {}, {}
  local all = redis.call('GET', KEYS[4]) or ''
  local i = 0
  for line in string.gmatch(redis.call('GET', KEYS[3]) or '', '([^\n]*)\n') do
    if line ~= name then
      names[#names + 1] = line .. '\n'
      numbers[#numbers + 1] = string.sub(all, i * 4 + 1, i * 4 + 4)
    end
    i = i + 1
  end
  if #names > 0 then
    redis.call('SET', KEYS[3], table.concat(names))
    redis.call('SET', KEYS[4], table.concat(numbers))
    redis.call('HSET', KEYS[2], table_name, #names)
  else
    redis.call('DEL', KEYS[3], KEYS[4])
    redis.call('HDEL', KEYS[2], table_name)
  end
end

for i = 5, 4 + paths do
  redis.call('HDEL', KEYS[1], ARGV[i])
  redis.call('HDEL', KEYS[2], ARGV[i])
end
for k = 5, 4 + going do redis.call('DEL', KEYS[k]) end

local at = 5 + paths
for k = 5 + going, #KEYS do
  local first, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local kind = redis.call('TYPE', KEYS[k]).ok
  if kind == 'string' then
    local length = math.min(redis.call('STRLEN', KEYS[k]) - first * 8, count * 8)
    if length > 0 then redis.call('SETRANGE', KEYS[k], first * 8, string.rep('\0', length)) end
  elseif kind == 'hash' then
    for cell = first, first + count - 1 do redis.call('HDEL', KEYS[k], cell) end
  end
  at = at + 2
end
