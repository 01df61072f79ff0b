-- Adds an entry to a group of numbers, once.
--
--   KEYS  the group: a hash with a field "=<name>" for each number, and "#<writer>" for each writer, with the number of its last entry
--   ARGV  the writer, the number of the entry, for how many milliseconds the group is kept from now on, how many numbers are to be
--         added to; then the names and values of these, and after them those of the numbers that are to be raised
--
-- The answer is 1, 0 if the entry was applied before, or -1 if the key holds something else.
local MOST = 9007199254740991
-- As many fields as fit on Lua's stack together.
local TOGETHER = 1000

local key, writer, number, sums = KEYS[1], '#' .. ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[4])
local last = redis.pcall('HGET', key, writer)
if type(last) == 'table' then
  if string.find(last.err, 'WRONGTYPE', 1, true) then return -1 end
  error(last.err)
end
if last and (tonumber(last) or 0) >= number then return 0 end

redis.call('HSET', key, writer, ARGV[2])
for from = 5, #ARGV, 2 * TOGETHER do
  local names, changes = {}, {}
  for i = from, math.min(from + 2 * TOGETHER, #ARGV) - 1, 2 do names[#names + 1] = '=' .. ARGV[i] end
  local values = redis.call('HMGET', key, unpack(names))
  for i = 1, #names do
    local position = from + 2 * (i - 1)
    local before, value = tonumber(values[i] or 0) or 0, tonumber(ARGV[position + 1])
    if position < 5 + 2 * sums then value = math.min(before + value, MOST) else value = math.max(before, value) end
    changes[2 * i - 1], changes[2 * i] = names[i], string.format('%.0f', value)
  end
  redis.call('HSET', key, unpack(changes))
end
redis.call('PEXPIRE', key, ARGV[3])
return 1
