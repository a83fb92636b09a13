-- Reads evidence of a decision, and what else is asked with it.
--
-- KEYS  1 places of sums: hash   2 numbers of options: hash   3 fits: hash   4 a decision that is kept: hash
--       then buckets of evidence: hashes
-- ARGV  1 options in a group   2 a fit's name or ""   3 number of options   then options, then cells
-- Returns {name, place, ...}, the numbers of the options (nil for one that was never counted), the fit or nil, the
--         decision or nil, until when it holds or nil; then for each bucket the fields of all groups that have one of
--         these options, in order of cell and group, each as long as all sums of a group; "" where nothing is there.
-- Cost  O(options + buckets x cells x groups).
local CHUNK = 1000
local call = redis.call
local size, options = tonumber(ARGV[1]), tonumber(ARGV[3])

local function values(key, names, first, last)
  local found = {}
  for from = first, last, CHUNK do
    local some = call('HMGET', key, unpack(names, from, math.min(from + CHUNK - 1, last)))
    for i = 1, #some do found[from - first + i] = some[i] end
  end
  return found
end

local places = call('HGETALL', KEYS[1])
local numbers = values(KEYS[2], ARGV, 4, 3 + options)
local groups, known = {}, {}
for i = 1, options do
  local group = numbers[i] and math.floor(numbers[i] / size)
  if group and not known[group] then
    known[group] = true
    groups[#groups + 1] = group
  end
end
table.sort(groups)

local fields = {}
for i = 4 + options, #ARGV do
  for g = 1, #groups do fields[#fields + 1] = ARGV[i] .. '\t' .. groups[g] end
end

local width = #places / 2 * size * 8
local nothing = string.rep('\0', width)
local decision, until_when = unpack(call('HMGET', KEYS[4], 'decision', 'until'))
local answer = {places, numbers, ARGV[2] ~= '' and call('HGET', KEYS[3], ARGV[2]), decision, until_when}
for bucket = 5, #KEYS do
  local sums, is_there = values(KEYS[bucket], fields, 1, #fields), false
  for i = 1, #fields do
    local text = sums[i]
    is_there = is_there or text
    -- What is older than the newest sums is shorter.
    if not text then
      sums[i] = nothing
    elseif #text < width then
      sums[i] = text .. string.sub(nothing, #text + 1)
    end
  end
  answer[bucket + 1] = is_there and table.concat(sums) or ''
end
return answer
