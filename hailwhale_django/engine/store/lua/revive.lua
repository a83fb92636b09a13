-- Puts a dead letter back into the log and removes it, in one step: an event is in one of them, never in both.
--
-- KEYS  1 letters: hash   2 log: stream   3 state of the stream: hash
-- ARGV  1 the letter's name   2 its line   3 most entries   4 what to call the stream if it is new
-- Returns 1, 0 where there is no such letter (any more), or -1 where the log is full: then the letter stays.
-- Cost  O(1).
local call = redis.call
if call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
if call('XLEN', KEYS[2]) >= tonumber(ARGV[3]) then
  call('HINCRBY', KEYS[3], 'full', 1)
  return -1
end
call('HSETNX', KEYS[3], 'name', ARGV[4])
call('XADD', KEYS[2], '*', '1', ARGV[2])
call('HINCRBY', KEYS[3], 'accepted', 1)
call('HDEL', KEYS[1], ARGV[1])
return 1
