-- Adds increments to the tiles of one counter: every cell of a metric or, where one would overflow, none of them.
--
-- KEYS  1 rows: hash, path -> row   2 metrics: set   3 spans: sorted set, span -> when it expires
--       4 marks: hash, stream of the hail -> the last position that is counted here   then tiles
-- ARGV  1 now   2 most metrics   3 metrics   4 paths   5 their rows   6 for each metric what is added to every cell, or
--       0 where the parts say it   7 number of expectations   8 number of parts
--       9 nothing, or for events from the hail: stream, the position thought to be its mark or "-", the first and the
--       last position of these events, and "whole" if they are to be counted altogether or not at all
--       10 sketches   11 number of tiles of sketches, which come behind the others
--       12 names of sums of evidence   13 number of buckets of evidence   14 most fields that one may have
--       15 options in a group   16 most sums of evidence; further ones are left out
--       KEYS has behind all tiles, if there are buckets, the hashes of the sums' places and of the options' numbers, and
--       these buckets
--       for each expectation: tile, cell, its value as text, its value as eight bytes
--       for each part: when its tiles expire in seconds since the epoch or "-", its span, its cells
--       for each part and each metric with 0 in 6: one increment for each cell; the metric has no tile where this is ""
--       for each tile of a sketch: the sketch's number, when it expires, its span, its cells; how many parts follow, one
--       for all cells or one for each; these
--       if there are buckets of evidence: options   for each: when it expires and its span; option and cell, again and
--       again; for each of these all sums, as doubles
--       Metrics, sketches, paths, sums, options and cells are lines, all else are words with a space between them.
-- Returns {"moved"} where a path is not at the row it was thought to be at, {"changed"} where an expectation fails,
--         {"ahead", mark} where some of these events are counted already, {"behind", mark} where earlier ones are
--         missing: nothing was added. Else {"added", {metric, reason...}, {sketch, key, cell...}}: the metrics that
--         were refused, for "overflow" or since there would be too "many", and the cells of sketches that now have
--         many parts; or {"refused", {metric, reason...}, {}} where all was to be whole.
-- Cost  O(paths + cells + the bytes of sketches' cells + sums of evidence).
--
-- A tile begins as a hash of its cells, in Redis's compact encoding, and is packed into a string of 64-bit integers
-- when that takes no more than 16 bytes for each cell that is set, or when the hash would leave the compact encoding
-- (at 128 entries, the least default of any version). Numbers stay text throughout, since Lua's own are exact to 53 bits only.
local LISTPACK_ENTRIES = 128
local FEWEST_PACKED = 8 -- below, the hash is smaller whatever it holds
local ROW = 16 -- strings are made of whole rows at once, for one that grows bit by bit is given twice its size
local MOST_BYTES = 16 -- that a set cell may take in a string before its tile must be packed
local CHUNK = 1000
local BEFORE_TILES = 4
local FOR_EVER = '-'
local BEFORE_EXPECTATIONS = 16
local MOST_PARTS = 32 -- of a sketch's cell: readers merge them again and again, whoever writes pays for merging once
local call, try, find, gmatch, tonumber, type = redis.call, redis.pcall, string.find, string.gmatch, tonumber, type

local function split(text, pattern)
  local list, count = {}, 0
  for one in gmatch(text, pattern) do
    count = count + 1
    list[count] = one
  end
  return list
end

local function words(text) return split(text, '%S+') end
local function lines(text) return split(text, '[^\n]+') end

local metrics, paths, rows, everywhere = lines(ARGV[3]), lines(ARGV[4]), words(ARGV[5]), words(ARGV[6])

for first = 1, #paths, CHUNK do
  local last = math.min(first + CHUNK - 1, #paths)
  local found = call('HMGET', KEYS[1], unpack(paths, first, last))
  for i = first, last do
    if found[i - first + 1] ~= rows[i] then return {'moved'} end
  end
end

local stream, expected, first_position, last_position, whole = unpack(words(ARGV[9]))
if stream then
  local mark = call('HGET', KEYS[4], stream) or ''
  if mark >= first_position then return {'ahead', mark} end
  if expected ~= '-' and mark < expected then return {'behind', mark} end
end

local at = BEFORE_EXPECTATIONS + 1
for _ = 1, tonumber(ARGV[7]) do
  local key, cell, text, bytes = KEYS[BEFORE_TILES + ARGV[at]], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if call('TYPE', key).ok == 'string' then
    local found = call('GETRANGE', key, cell * 8, cell * 8 + 7)
    if found .. string.rep('\0', 8 - #found) ~= bytes then return {'changed'} end
  elseif (call('HGET', key, cell) or '0') ~= text then
    return {'changed'}
  end
  at = at + 4
end

-- In what follows `numbers` is a table, one for each cell, or a string, the same for all; `refused` are the indexes of
-- cells that would have overflowed, or nil where there are none.

local function highest_of(cells)
  if not cells.highest then
    local highest = 0
    for i = 1, #cells do highest = math.max(highest, cells[i]) end
    cells.highest = highest
  end
  return cells.highest
end

-- The command that does this to these cells, but for the key and numbers. It is made once for all metrics of a part.
local function command_for(operation, cells, first, last)
  local command, n = {'', 'OVERFLOW', 'FAIL'}, 3
  for i = first, last do
    command[n + 1], command[n + 2], command[n + 3] = operation, 'i64', '#' .. cells[i]
    n = n + 4
    command[n] = ''
  end
  return command
end

local function bitfield(key, operation, cells, numbers)
  local same, refused = type(numbers) == 'string' and numbers, nil
  if #cells == 1 then
    local replies = call('BITFIELD', key, 'OVERFLOW', 'FAIL', operation, 'i64', '#' .. cells[1], same or numbers[1])
    return replies[1] == false and {true} or nil
  end
  local made = cells.commands or {}
  cells.commands = made
  for first = 1, #cells, CHUNK do
    local last = math.min(first + CHUNK - 1, #cells)
    local command = made[first] or command_for(operation, cells, first, last)
    made[first] = command
    command[1] = key
    for i = first, last do command[7 + (i - first) * 4] = same or numbers[i] end
    local replies = call('BITFIELD', unpack(command))
    for i = 1, last - first + 1 do
      if replies[i] == false then
        refused = refused or {}
        refused[first + i - 1] = true
      end
    end
  end
  return refused
end

-- Makes room for these cells at the end of a string, or makes the string.
local function allocate(key, cells, length)
  local wanted = 8 * ROW * math.ceil((highest_of(cells) + 1) / ROW)
  if wanted > length then
    local before = length > 0 and call('GET', key) or ''
    call('SET', key, before .. string.rep('\0', wanted - length), 'KEEPTTL')
  end
end

local function pack(key, expiry)
  local flat = call('HGETALL', key)
  local cells, values = {}, {}
  for i = 1, #flat, 2 do
    cells[#cells + 1], values[#values + 1] = flat[i], flat[i + 1]
  end
  if #cells < LISTPACK_ENTRIES and (highest_of(cells) + 1) * 8 > #cells * MOST_BYTES then return end
  call('DEL', key)
  allocate(key, cells, 0)
  bitfield(key, 'SET', cells, values)
  if expiry ~= FOR_EVER then call('EXPIREAT', key, expiry) end
end

-- Returns what was refused, and whether the tile may be new.
local function increment_hash(key, cells, numbers, expiry)
  local same, refused, fresh = type(numbers) == 'string' and numbers, nil, 0
  local amount = tonumber(same)
  for i = 1, #cells do
    local reply = try('HINCRBY', key, cells[i], same or numbers[i])
    if reply == (amount or tonumber(numbers[i])) then
      fresh = fresh + 1 -- the cell was absent, or 0
    elseif type(reply) == 'table' then
      if not find(reply.err, 'overflow') then error(reply.err) end
      refused = refused or {}
      refused[i] = true
    end
  end
  if fresh == 0 then return refused, false end
  local entries = call('HLEN', key)
  local power = FEWEST_PACKED
  while power * 2 <= entries do power = power * 2 end
  -- Asking once for each power of two keeps the cost of asking constant per cell.
  if entries >= LISTPACK_ENTRIES or (entries >= power and power > entries - fresh) then
    pack(key, expiry)
  end
  return refused, entries <= fresh
end

local function increment(key, cells, numbers, expiry)
  local kind = call('TYPE', key).ok
  if kind == 'hash' then return increment_hash(key, cells, numbers, expiry) end
  if kind == 'none' and #cells < LISTPACK_ENTRIES then return increment_hash(key, cells, numbers, expiry) end
  allocate(key, cells, kind == 'none' and 0 or call('STRLEN', key))
  return bitfield(key, 'INCRBY', cells, numbers), kind == 'none'
end

local refusals = {} -- by metric's name
local sketches = lines(ARGV[10])
local function enter(names)
  for _, metric in ipairs(names) do
    if call('SISMEMBER', KEYS[2], metric) == 0 then
      if call('SCARD', KEYS[2]) < tonumber(ARGV[2]) then
        call('SADD', KEYS[2], metric)
      else
        refusals[metric] = 'many'
      end
    end
  end
end
enter(metrics)
enter(sketches)

local function note_span(key, expiry, span)
  if expiry ~= FOR_EVER then call('EXPIREAT', key, expiry) end
  if call('ZADD', KEYS[3], expiry == FOR_EVER and '+inf' or expiry, span) == 1 then
    call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[1])
  end
end

-- Calls `visit(tile, metric, cells, numbers, expiry, span)` for all tiles of sums; returns what comes behind them.
local function each_tile(visit)
  local tile, by_part = BEFORE_TILES, at + tonumber(ARGV[8])
  for part = at, by_part - 1 do
    local word = gmatch(ARGV[part], '%S+')
    local expiry, span, cells, count = word(), word(), {}, 0
    for cell in word do
      count = count + 1
      cells[count] = cell
    end
    for m = 1, #metrics do
      local numbers = everywhere[m]
      if numbers == '0' then
        numbers = ARGV[by_part] ~= '' and words(ARGV[by_part])
        by_part = by_part + 1
      end
      if numbers then
        tile = tile + 1
        visit(tile, metrics[m], cells, numbers, expiry, span)
      end
    end
  end
  return tile, by_part
end

local refused_in = {} -- by tile
local last_tile, behind_increments = each_tile(function(tile, metric, cells, numbers, expiry, span)
  if refusals[metric] == 'many' then return end
  local key = KEYS[tile]
  local refused, fresh = increment(key, cells, numbers, expiry)
  if fresh then note_span(key, expiry, span) end
  if refused then
    refused_in[tile] = refused
    refusals[metric] = 'overflow'
  end
end)

local function negative(number)
  return string.sub(number, 1, 1) == '-' and string.sub(number, 2) or '-' .. number
end

local refused = next(refusals)
if refused then
  each_tile(function(tile, metric, cells, numbers, expiry)
    if refusals[metric] == 'many' or not (whole or refusals[metric]) then return end
    local refused_here, kept, undone = refused_in[tile] or {}, {}, {}
    for i = 1, #cells do
      if not refused_here[i] then
        kept[#kept + 1] = cells[i]
        undone[#undone + 1] = negative(type(numbers) == 'string' and numbers or numbers[i])
      end
    end
    if #kept > 0 then increment(KEYS[tile], kept, undone, expiry) end
  end)
end

local answer = {}
for metric, reason in pairs(refusals) do
  answer[#answer + 1] = metric
  answer[#answer + 1] = reason
end
if refused and whole then return {'refused', answer, {}} end

if stream then
  call('HSET', KEYS[4], stream, last_position)
  call('PERSIST', KEYS[4]) -- it had an end if the counter was reset meanwhile
end

local crowded = {} -- sketch, key, cell, again and again

local function has_many_parts(bytes)
  local parts, begin = 0, 1
  while begin <= #bytes do
    local _, low, middle, high = string.byte(bytes, begin, begin + 3)
    if not high then return false end -- it is damaged, which is for readers to tell
    begin = begin + 8 + low + 256 * middle + 65536 * high
    parts = parts + 1
  end
  return parts > MOST_PARTS
end

local function append(key, sketch, cells, first, parts, expiry, span)
  local fresh = call('EXISTS', key) == 0
  for from = 1, #cells, CHUNK do
    local to = math.min(from + CHUNK - 1, #cells)
    local found, command, n = call('HMGET', key, unpack(cells, from, to)), {}, 0
    for i = from, to do
      local before, part = found[i - from + 1], ARGV[parts == 1 and first or first + i - 1]
      local bytes = before and before .. part or part
      command[n + 1], command[n + 2] = cells[i], bytes
      n = n + 2
      if before and has_many_parts(bytes) then
        local c = #crowded
        crowded[c + 1], crowded[c + 2], crowded[c + 3] = sketch, key, cells[i]
      end
    end
    call('HSET', key, unpack(command))
  end
  if fresh then note_span(key, expiry, span) end
end

local next_argument = behind_increments
for tile = last_tile + 1, last_tile + tonumber(ARGV[11]) do
  local number, expiry, span, listed = string.match(ARGV[next_argument], '^(%d+) (%S+) (%S+) (.*)$')
  local sketch, parts = sketches[tonumber(number)], tonumber(ARGV[next_argument + 1])
  if refusals[sketch] ~= 'many' then
    append(KEYS[tile], sketch, words(listed), next_argument + 2, parts, expiry, span)
  end
  next_argument = next_argument + 2 + parts
end

-- The numbers that names have in a hash, false for what finds no room; new ones come behind those that there are.
local function numbered(key, names, most)
  local found, size = {}, call('HLEN', key)
  for i, name in ipairs(names) do
    local number = call('HGET', key, name)
    if not number and size < most then
      number, size = size, size + 1
      call('HSET', key, name, number)
    end
    found[i] = number and tonumber(number)
  end
  return found, size
end

-- Adds to one bucket: sums of one option in one cell after the other.
local function learn(key, fields, doubles, places, size, number_of)
  local group_size, room = tonumber(ARGV[15]), tonumber(ARGV[14]) - call('HLEN', key)
  for i, field in ipairs(fields) do
    local option, cell = string.match(field, '^(.-)\t(.*)$')
    local number = number_of[option]
    local group = math.floor(number / group_size)
    local name, slot = cell .. '\t' .. group, number - group * group_size
    local before = call('HGET', key, name)
    if before or room > 0 or cell == '_' then
      local count = before and #before / 8 or 0
      local sums = before and {struct.unpack('<' .. string.rep('d', count), before)} or {}
      for at = count + 1, size * group_size do sums[at] = 0 end
      for j = 1, #places do
        local at = places[j] and places[j] * group_size + slot + 1
        if at then sums[at] = sums[at] + struct.unpack('<d', doubles, ((i - 1) * #places + j - 1) * 8 + 1) end
      end
      local all = size * group_size
      call('HSET', key, name, struct.pack('<' .. string.rep('d', all), unpack(sums, 1, all)))
      if not before then room = room - 1 end
    end
  end
end

local buckets = tonumber(ARGV[13])
if buckets > 0 then
  local first = last_tile + tonumber(ARGV[11]) + 1
  local places, size = numbered(KEYS[first], lines(ARGV[12]), tonumber(ARGV[16]))
  local options = lines(ARGV[next_argument])
  local numbers, number_of = numbered(KEYS[first + 1], options, math.huge), {}
  for i, option in ipairs(options) do number_of[option] = numbers[i] end
  next_argument = next_argument + 1
  for bucket = first + 2, first + 1 + buckets do
    local expiry, span = unpack(words(ARGV[next_argument]))
    local fresh = call('EXISTS', KEYS[bucket]) == 0
    learn(KEYS[bucket], lines(ARGV[next_argument + 1]), ARGV[next_argument + 2], places, size, number_of)
    if fresh then note_span(KEYS[bucket], expiry, span) end
    next_argument = next_argument + 3
  end
end
return {'added', answer, crowded}
