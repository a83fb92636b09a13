-- Keeps a decision, unless one for the same visitor still holds, and writes it into the log of decisions.
--
-- KEYS  1 the decision that is kept: hash   2 log of decisions: stream
-- ARGV  1 now   2 until when the decision holds   3 when it is forgotten   4 most entries of the log   5 the decision
--       6 the id of a decision that is to be replaced, though it holds, or ""
-- Returns the decision that holds already, or nil where this one was kept.
-- Cost  O(1).
local LOG_SECONDS = 90 * 86400 -- of a decision that nobody makes any more
local call = redis.call

local kept, until_when = unpack(call('HMGET', KEYS[1], 'decision', 'until'))
local is_replaced = kept and ARGV[6] ~= '' and string.find(kept, '"id":"' .. ARGV[6] .. '"', 1, true)
if kept and not is_replaced and tonumber(until_when) > tonumber(ARGV[1]) then return kept end
call('DEL', KEYS[1])
call('HSET', KEYS[1], 'decision', ARGV[5], 'until', ARGV[2])
call('EXPIREAT', KEYS[1], ARGV[3])
call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[4], '*', 'decided', ARGV[5])
call('EXPIRE', KEYS[2], LOG_SECONDS)
return nil
