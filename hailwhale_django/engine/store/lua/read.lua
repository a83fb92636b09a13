-- Reads rows of tiles, whether these are still hashes or already packed.
--
-- KEYS  tiles
-- ARGV  1 number of selections   then for each: cells a row has, number of rows (0 for all), rows...
--       then for each tile: the number of its selection
-- Returns for each tile: a string with the cells of the selected rows, 8 bytes each, zeros where a row was never
--         written (of all rows: the tile as it is); or a list with one text, "cell value cell value ..."; or nil.
-- Cost  O(cells).
local COMPACT = 128 -- a hash of no more entries is read whole rather than searched for that many cells
local at = 2
local selections = {}
for s = 1, tonumber(ARGV[1]) do
  local width, count, rows = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), {}
  for i = 1, count do rows[i] = tonumber(ARGV[at + 1 + i]) end
  selections[s] = {width, rows}
  at = at + 2 + count
end

local function of_string(tile, width, rows)
  if #rows == 0 then return tile end
  local found = {}
  for i, row in ipairs(rows) do
    local cells = string.sub(tile, row * width * 8 + 1, (row + 1) * width * 8)
    found[i] = cells .. string.rep('\0', width * 8 - #cells)
  end
  return table.concat(found)
end

local function of_hash(key, width, rows)
  if #rows == 0 or #rows * width > COMPACT then
    return {table.concat(redis.call('HGETALL', key), ' ')}
  end
  local cells, found = {}, {}
  for _, row in ipairs(rows) do
    for cell = row * width, (row + 1) * width - 1 do cells[#cells + 1] = cell end
  end
  for i, value in ipairs(redis.call('HMGET', key, unpack(cells))) do
    if value then found[#found + 1] = cells[i] .. ' ' .. value end
  end
  return {table.concat(found, ' ')}
end

local answer = {}
for t = 1, #KEYS do
  local width, rows = unpack(selections[tonumber(ARGV[at + t - 1])])
  local tile = redis.pcall('GET', KEYS[t])
  if type(tile) == 'table' then -- an error: not a string
    answer[t] = of_hash(KEYS[t], width, rows)
  else
    answer[t] = tile and of_string(tile, width, rows)
  end
end
return answer
