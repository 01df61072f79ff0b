-- Tells that a member goes by its limits for a time, and what all members whose time is not over go by.
--
--   KEYS  the limiter's declarations: a hash with a field for each member, "<until> <limits>", by the server's clock in milliseconds
--   ARGV  the member, its limits as text, and for how many milliseconds it goes by them
--
-- The answer is the text of each.
local key, member, limits, validity = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

redis.call('HSET', key, member, string.format('%d ', now + validity) .. limits)
redis.call('PEXPIRE', key, ARGV[3])

local answer = {}
local fields = redis.call('HGETALL', key)
for i = 1, #fields, 2 do
  local untilTime, text = string.match(fields[i + 1], '^(%d+) (.*)$')
  if untilTime and tonumber(untilTime) > now then
    answer[#answer + 1] = text
  else
    redis.call('HDEL', key, fields[i])
  end
end
return answer
