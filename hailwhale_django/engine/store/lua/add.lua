-- Adds increments to the tiles of one counter: every cell of a metric or, where one would overflow, none of them.
--
-- KEYS  1 rows: hash, path -> row   2 metrics: set   3 spans: sorted set, span -> when it expires   then tiles
-- ARGV  1 now   2 most metrics   3 number of metrics   4 of paths   5 of slots   6 of expectations
--       metrics...   paths...   their rows...
--       for each slot: expiry in seconds since the epoch or "", span
--       for each expectation: tile, cell, its value as text, its value as eight bytes
--       tiles: JSON, for each tile [metric, slot, [cell, increment, cell, increment ...]], metric and slot by number,
--       increments as text
-- Returns {"moved"} where a path is not at the row it was thought to be at, or {"changed"} where an expectation
--         fails: nothing was added. Else {"added", metric, reason...} with the metrics that were refused,
--         for "overflow" or since there would be too "many".
-- Cost  O(paths + cells).
--
-- A tile begins as a hash of its cells, in Redis's compact encoding, and is packed into a string of 64-bit integers
-- when that takes no more than 16 bytes for each cell that is set, or when the hash would leave the compact encoding
-- (at 128 entries, the least default of any version). Numbers stay text throughout, since Lua's own are exact to 53 bits only.
local LISTPACK_ENTRIES = 128
local FEWEST_PACKED = 8 -- below, the hash is smaller whatever it holds
local ROW = 16 -- strings are made of whole rows at once, for one that grows bit by bit is given twice its size
local MOST_BYTES = 16 -- that a set cell may take in a string before its tile must be packed
local CHUNK = 1000
local BEFORE_TILES = 3
local call, try, find, tonumber = redis.call, redis.pcall, string.find, tonumber
local metrics, paths, slots = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local at = 7 + metrics

for first = 0, paths - 1, CHUNK do
  local last = math.min(first + CHUNK, paths) - 1
  local rows = call('HMGET', KEYS[1], unpack(ARGV, at + first, at + last))
  for i = first, last do
    if rows[i - first + 1] ~= ARGV[at + paths + i] then return {'moved'} end
  end
end
at = at + 2 * paths
local first_slot = at
at = at + 2 * slots

for _ = 1, tonumber(ARGV[6]) do
  local key, cell, text, bytes = KEYS[BEFORE_TILES + ARGV[at]], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  if call('TYPE', key).ok == 'string' then
    local found = call('GETRANGE', key, cell * 8, cell * 8 + 7)
    if found .. string.rep('\0', 8 - #found) ~= bytes then return {'changed'} end
  elseif (call('HGET', key, cell) or '0') ~= text then
    return {'changed'}
  end
  at = at + 4
end

-- Runs one BITFIELD operation over {cell, number, ...}; returns the cells that would have overflowed.
local function bitfield(key, operation, pairs_of)
  local refused = {}
  for first = 1, #pairs_of, 2 * CHUNK do
    local last = math.min(first + 2 * CHUNK - 1, #pairs_of)
    local command = {key, 'OVERFLOW', 'FAIL'}
    for i = first, last, 2 do
      local n = #command
      command[n + 1], command[n + 2], command[n + 3], command[n + 4] =
        operation, 'i64', '#' .. pairs_of[i], pairs_of[i + 1]
    end
    local replies = call('BITFIELD', unpack(command))
    for i = 1, #command do
      if replies[i] == false then refused[pairs_of[first + 2 * (i - 1)]] = true end
    end
  end
  return refused
end

-- Makes room for these cells at the end of a string, or makes the string.
local function allocate(key, cells, length)
  local highest = 0
  for i = 1, #cells, 2 do highest = math.max(highest, cells[i]) end
  local wanted = 8 * ROW * math.ceil((highest + 1) / ROW)
  if wanted > length then
    local before = length > 0 and call('GET', key) or ''
    call('SET', key, before .. string.rep('\0', wanted - length), 'KEEPTTL')
  end
end

local function pack(key, expiry)
  local cells = call('HGETALL', key)
  local entries = #cells / 2
  local highest = 0
  for i = 1, #cells, 2 do highest = math.max(highest, tonumber(cells[i])) end
  if entries < LISTPACK_ENTRIES and (highest + 1) * 8 > entries * MOST_BYTES then return end
  call('DEL', key)
  allocate(key, cells, 0)
  bitfield(key, 'SET', cells)
  if expiry ~= '' then call('EXPIREAT', key, expiry) end
end

-- Returns the cells that would have overflowed, and whether the tile may be new.
local function increment_hash(key, cells, expiry)
  local refused, fresh = {}, 0
  for i = 1, #cells, 2 do
    local reply = try('HINCRBY', key, cells[i], cells[i + 1])
    if type(reply) == 'table' then
      if not find(reply.err, 'overflow') then error(reply.err) end
      refused[cells[i]] = true
    elseif reply == tonumber(cells[i + 1]) then
      fresh = fresh + 1 -- the cell was absent, or 0
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

local function increment(key, cells, expiry)
  local kind = call('TYPE', key).ok
  local many = kind == 'none' and #cells >= 2 * LISTPACK_ENTRIES
  if many or kind == 'string' then
    allocate(key, cells, many and 0 or call('STRLEN', key))
    return bitfield(key, 'INCRBY', cells), kind == 'none'
  end
  return increment_hash(key, cells, expiry)
end

local refusals = {} -- by metric's number
for m = 1, metrics do
  local metric = ARGV[6 + m]
  if call('SISMEMBER', KEYS[2], metric) == 0 then
    if call('SCARD', KEYS[2]) < tonumber(ARGV[2]) then
      call('SADD', KEYS[2], metric)
    else
      refusals[m] = 'many'
    end
  end
end

local tiles = {}
for number, tile in ipairs(cjson.decode(ARGV[at])) do
  local t, metric, slot, cells = BEFORE_TILES + number, tile[1], tile[2], tile[3]
  if refusals[metric] ~= 'many' then
    local expiry = ARGV[first_slot + 2 * slot - 2]
    local refused, fresh = increment(KEYS[t], cells, expiry)
    if fresh then
      if expiry ~= '' then call('EXPIREAT', KEYS[t], expiry) end
      if call('ZADD', KEYS[3], expiry == '' and '+inf' or expiry, ARGV[first_slot + 2 * slot - 1]) == 1 then
        call('ZREMRANGEBYSCORE', KEYS[3], '-inf', ARGV[1])
      end
    end
    tiles[#tiles + 1] = {t, metric, expiry, cells, refused}
    if next(refused) then refusals[metric] = 'overflow' end
  end
end

local answer = {'added'}
if next(refusals) then
  for _, tile in ipairs(tiles) do
    local t, metric, expiry, cells, refused = unpack(tile)
    if refusals[metric] then
      local undo = {}
      for i = 1, #cells, 2 do
        if not refused[cells[i]] then
          local number = cells[i + 1]
          undo[#undo + 1] = cells[i]
          undo[#undo + 1] = string.sub(number, 1, 1) == '-' and string.sub(number, 2) or '-' .. number
        end
      end
      increment(KEYS[t], undo, expiry)
    end
  end
  for metric, reason in pairs(refusals) do
    answer[#answer + 1] = ARGV[6 + metric]
    answer[#answer + 1] = reason
  end
end
return answer
