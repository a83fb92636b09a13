-- Credits a decision with what came of it, once for each id.
--
-- KEYS  1 the decision that is kept: hash   2 log of decisions: stream
-- ARGV  1 the id of what came or ""   2 most entries of the log   3 the id of the decision or ""
--       4 what came, as the log has it, behind the id of the decision   5 now   6 most ids   7 most metrics
--       then metrics and values
-- Returns nil where no such decision is kept, 0 where it has as many ids as it may have, 1 where it would have too many
--         metrics; else the decision, what it had earned before, one metric and value a line ("" if nothing), and when it
--         was credited, "" if only now.
-- Cost  O(metrics).
local LOG_SECONDS = 90 * 86400
local call = redis.call
local EARNED, KNOWN = '=', '+'

local decision = call('HGET', KEYS[1], 'decision')
if not decision or (ARGV[3] ~= '' and not string.find(decision, '"' .. ARGV[3] .. '"', 1, true)) then return nil end
if ARGV[1] ~= '' then
  local known = call('HGET', KEYS[1], KNOWN .. ARGV[1])
  if known then
    local at, before = string.match(known, '^(.-)\n(.*)$')
    return {decision, before, at}
  end
  if call('HLEN', KEYS[1]) >= tonumber(ARGV[6]) then return 0 end
end

local before, is_known = {}, {}
local flat = call('HGETALL', KEYS[1])
for i = 1, #flat, 2 do
  if string.sub(flat[i], 1, 1) == EARNED then
    before[#before + 1] = string.sub(flat[i], 2) .. '\t' .. flat[i + 1]
    is_known[string.sub(flat[i], 2)] = true
  end
end
local metrics = #before
for i = 8, #ARGV, 2 do
  if not is_known[ARGV[i]] then metrics = metrics + 1 end
end
if metrics > tonumber(ARGV[7]) then return 1 end
table.sort(before)
local earned = table.concat(before, '\n')
for i = 8, #ARGV, 2 do call('HINCRBYFLOAT', KEYS[1], EARNED .. ARGV[i], ARGV[i + 1]) end
if ARGV[1] ~= '' then call('HSET', KEYS[1], KNOWN .. ARGV[1], ARGV[5] .. '\n' .. earned) end
call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], '*', 'of', string.match(decision, '"id":"([^"]+)"'), 'earned', ARGV[4])
call('EXPIRE', KEYS[2], LOG_SECONDS)
return {decision, earned, ''}
