-- Writes dead letters down.
--
-- KEYS  1 letters: hash   2 state of their stream: hash
-- ARGV  1 most letters   then name, letter, name, letter ...
-- Returns nothing.
-- Cost  O(letters).
local call = redis.call
local room = tonumber(ARGV[1]) - call('HLEN', KEYS[1])
for i = 2, #ARGV, 2 do
  if room > 0 then
    room = room - call('HSETNX', KEYS[1], ARGV[i], ARGV[i + 1])
  elseif call('HEXISTS', KEYS[1], ARGV[i]) == 0 then
    call('HINCRBY', KEYS[2], 'unwritten', 1)
  end
end
