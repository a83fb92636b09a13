-- Appends events to a stream of the hail, those with an id only if that id is new: all of them or, where the stream is
-- full, none.
--
-- KEYS  1 log: stream   2 state: hash   then, if any has an id, sets of ids: 3 today's, and those of the days around it,
--       for clocks differ and an event may be sent again after midnight
-- ARGV  1 most entries   2 what to call the stream if it is new   3 when today's ids expire
--       for each entry: an id or "", how many events it has, their lines
-- Returns the number of events that were left out since their id was known, or -1 where the stream is full.
-- Cost  O(entries).
local call = redis.call

if call('XLEN', KEYS[1]) + (#ARGV - 3) / 3 > tonumber(ARGV[1]) then
  call('HINCRBY', KEYS[2], 'full', 1)
  return -1
end
call('HSETNX', KEYS[2], 'name', ARGV[2])

local function is_known(id)
  for k = 4, #KEYS do
    if call('SISMEMBER', KEYS[k], id) == 1 then return true end
  end
  return call('SADD', KEYS[3], id) == 0
end

local events, known = 0, 0
for i = 4, #ARGV, 3 do
  local id, count, lines = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  if id ~= '' and is_known(id) then
    known = known + count
  else
    call('XADD', KEYS[1], '*', '1', lines)
    events = events + count
  end
end
if #KEYS > 2 then call('EXPIREAT', KEYS[3], ARGV[3]) end
call('HINCRBY', KEYS[2], 'accepted', events)
return known
