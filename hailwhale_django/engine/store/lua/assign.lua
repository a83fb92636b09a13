-- Gives each path of one counter its row, new paths the next free one.
--
-- KEYS  1 rows: hash, path -> row   2 tables: hash, table -> number of children; "" -> the next free row
--       then for each table that is asked for: names: string, one child a line   numbers: string, 4 bytes a row
-- ARGV  1 most children of a table   2 most rows of the counter
--       then for each path: the path, its name, its table, the number of the table among the keys; "", "", 0 for the whole
-- Returns the row of each path; -1 minus the row of the table's "(other)" once the table or the counter is full, of what
--       is crossed that of "×(other)".
-- Cost  O(paths).
local most_children, most_rows = tonumber(ARGV[1]), tonumber(ARGV[2])
local rows, tables = KEYS[1], KEYS[2]

-- What was counted together with a value is no child of it, and takes no child's place: see domain/crossing.
local function is_crossing(name) return string.sub(name, 1, 2) == '\195\151' end

local function begin(path, name, table, number)
  local row = redis.call('HINCRBY', tables, '', 1) - 1 -- the rows of removed paths are not given again
  redis.call('HSET', rows, path, row)
  if number > 0 then
    redis.call('HINCRBY', tables, table, is_crossing(name) and 0 or 1)
    redis.call('APPEND', KEYS[1 + 2 * number], name .. '\n')
    redis.call('APPEND', KEYS[2 + 2 * number], struct.pack('<I4', row))
  end
  return row
end

local answer = {}
for i = 3, #ARGV, 4 do
  local path, name, table, number = ARGV[i], ARGV[i + 1], ARGV[i + 2], tonumber(ARGV[i + 3])
  local row = redis.call('HGET', rows, path)
  if not row and number > 0 and name ~= '(other)' then
    local children = tonumber(redis.call('HGET', tables, table) or 0)
    local is_full = children >= most_children and not is_crossing(name)
    if is_full or redis.call('HLEN', rows) >= most_rows then
      local other = is_crossing(name) and '\195\151(other)' or '(other)'
      path, name = string.sub(path, 1, #path - #name) .. other, other
      row = -1 - (tonumber(redis.call('HGET', rows, path)) or begin(path, name, table, number))
    end
  end
  answer[#answer + 1] = tonumber(row) or begin(path, name, table, number)
end
return answer
