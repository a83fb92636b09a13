-- Writes down how far the drain has come in a stream of the hail, and trims what need not be read again.
--
-- KEYS  1 log: stream   2 state: hash   3 marks: hash, pk -> position
-- ARGV  1 what the stream is called   2 who drains   3 the last entry that is counted everywhere
--       4 what the counters' servers are   5 events counted   6 for how many seconds entries are kept once they are
--       counted   7 most entries   8 before which position marks may go   9 how many may
--       the marks that go...   then pk, position, pk, position ...
-- Returns the entry before which all are gone ("" if none is), or nothing if the stream has another name: it began anew.
-- Cost  O(marks + entries trimmed).
local call = redis.call

if call('HGET', KEYS[2], 'name') ~= ARGV[1] then return false end

-- Entry ids are two numbers, and no text is ordered as they are.
local function is_after(one, other)
  local ms, number = string.match(one, '^(%d+)%-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)%-(%d+)$')
  if not other_ms then return true end
  if ms ~= other_ms then return tonumber(ms) > tonumber(other_ms) end
  return tonumber(number) > tonumber(other_number)
end

local function next_after(entry)
  local ms, number = string.match(entry, '^(%d+)%-(%d+)$')
  return string.format('%s-%d', ms, number + 1)
end

local first = 10 + tonumber(ARGV[9])
for i = 10, first - 1 do
  if (call('HGET', KEYS[3], ARGV[i]) or '') < ARGV[8] then call('HDEL', KEYS[3], ARGV[i]) end
end
for i = first, #ARGV, 2 do
  if (call('HGET', KEYS[3], ARGV[i]) or '') < ARGV[i + 1] then call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
end

local now = tonumber(call('TIME')[1])
local counted = call('HINCRBY', KEYS[2], 'counted', ARGV[5])

-- How much was counted when each of the last minutes began: seconds and events, by which others tell the rate.
local minute = 'minute' .. math.floor(now / 60) % 6
local sampled = string.match(call('HGET', KEYS[2], minute) or '', '^%d+') or 0
if now - sampled >= 60 then call('HSET', KEYS[2], minute, now .. ' ' .. counted - ARGV[5]) end

call('HSET', KEYS[2], 'at', now)
local entry = call('HGET', KEYS[2], 'entry') or ''
if not is_after(entry == '' and '0-0' or entry, ARGV[3]) then
  entry = ARGV[3]
  call('HSET', KEYS[2], 'entry', entry, 'holder', ARGV[2], 'servers', ARGV[4])
end

-- What was counted last time is old enough now. A long log keeps nothing that it could do without.
local kept, kept_at = unpack(call('HMGET', KEYS[2], 'kept', 'kept_at'))
local last = false
if not kept_at or now - kept_at >= tonumber(ARGV[6]) then
  last = kept
  call('HSET', KEYS[2], 'kept', entry, 'kept_at', now)
end
if call('XLEN', KEYS[1]) > tonumber(ARGV[7]) / 2 then last = entry end
local trimmed = call('HGET', KEYS[2], 'trimmed') or ''
if last and is_after(next_after(last), trimmed) then
  trimmed = next_after(last)
  call('XTRIM', KEYS[1], 'MINID', trimmed)
  call('HSET', KEYS[2], 'trimmed', trimmed)
end
return trimmed
