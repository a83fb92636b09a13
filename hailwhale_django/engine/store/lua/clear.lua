-- Makes cells of tiles 0, the same in each.
--
-- KEYS  tiles
-- ARGV  for each run of cells: the first, how many
-- Returns nothing.
-- Cost  O(tiles x cells).
for _, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  for i = 1, #ARGV, 2 do
    local first, count = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
    if kind == 'string' then
      local length = math.min(redis.call('STRLEN', key) - first * 8, count * 8)
      if length > 0 then redis.call('SETRANGE', key, first * 8, string.rep('\0', length)) end
    elseif kind == 'hash' then
      for cell = first, first + count - 1 do redis.call('HDEL', key, cell) end
    end
  end
end
