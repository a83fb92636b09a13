-- How a stream of the hail is.
--
-- KEYS  1 log: stream   2 state: hash   3 dead letters: hash
-- Returns seconds and microseconds of the clock, the number of entries, the first entry that is not counted or "", the
--         number of letters, the state as field, value ...
-- Cost  O(1).
local call = redis.call
local entry = call('HGET', KEYS[2], 'entry')
local waiting = call('XRANGE', KEYS[1], entry and '(' .. entry or '-', '+', 'COUNT', 1)
local now = call('TIME')
return {
  now[1], now[2], call('XLEN', KEYS[1]), waiting[1] and waiting[1][1] or '', call('HLEN', KEYS[3]),
  call('HGETALL', KEYS[2]),
}
