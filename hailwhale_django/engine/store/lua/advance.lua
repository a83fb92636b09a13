-- Writes down how far the drain has come in a stream of the hail, and trims what need not be read again.
--
-- KEYS  1 log: stream   2 state: hash   3 marks: hash, pk -> position
-- ARGV  1 who drains   2 the last entry that is counted everywhere   3 what the counters' servers are
--       4 events counted   5 for how many seconds entries are kept at least   6 most entries   7 how many marks go
--       the marks that go...   then pk, position, pk, position ...
-- Returns the entry before which all are gone.
-- Cost  O(marks + entries trimmed).
local call = redis.call

-- Entry ids are two numbers, and no text is ordered as they are.
local function is_after(one, other)
  local ms, number = string.match(one, '^(%d+)%-(%d+)$')
  local other_ms, other_number = string.match(other, '^(%d+)%-(%d+)$')
  if not other_ms then return true end
  if ms ~= other_ms then return tonumber(ms) > tonumber(other_ms) end
  return tonumber(number) > tonumber(other_number)
end

local first = 8 + tonumber(ARGV[7])
for i = 8, first - 1 do call('HDEL', KEYS[3], ARGV[i]) end
for i = first, #ARGV, 2 do
  if (call('HGET', KEYS[3], ARGV[i]) or '') < ARGV[i + 1] then call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
end

call('HINCRBY', KEYS[2], 'counted', ARGV[4])
local now = call('TIME')
call('HSET', KEYS[2], 'at', now[1])
if is_after(ARGV[2], call('HGET', KEYS[2], 'entry') or '') then
  call('HSET', KEYS[2], 'entry', ARGV[2], 'holder', ARGV[1], 'servers', ARGV[3])
end

-- A long log keeps nothing that it could do without.
local before = string.format('%d-0', (now[1] - ARGV[5]) * 1000)
if is_after(before, ARGV[2]) or call('XLEN', KEYS[1]) > tonumber(ARGV[6]) / 2 then before = ARGV[2] end
if is_after(before, call('HGET', KEYS[2], 'trimmed') or '') then
  call('XTRIM', KEYS[1], 'MINID', before)
  call('HSET', KEYS[2], 'trimmed', before)
end
return call('HGET', KEYS[2], 'trimmed')
