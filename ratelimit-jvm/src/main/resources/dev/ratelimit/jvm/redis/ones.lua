-- The common case of store.lua in one piece: each request asks one token bucket for permits that are there now. The arithmetic is that
-- of token_bucket.lua, for numbers whose products stay below 2^53; whatever is out of the ordinary is left to store.lua.
--
--   KEYS  a bucket for each request
--   ARGV  the instant in microseconds (for tests: keys then outlive it by an hour), or "" for the server's own clock; a MessagePack
--         array of p, q and burst for each limit, whose rate is p permits in q microseconds; an array of the number of the limit, the
--         permits, and how many ask for them, for each request; then "<algorithm> <limit> | " for each limit
--
-- The answer has four whole numbers for each request: how many of those who ask were granted, or -2 if store.lua is to be asked;
-- remaining, wait and reset.
local call, find, match, format, floor, ceil = redis.call, string.find, string.match, string.format, math.floor, math.ceil
local ELSEWHERE = -2
local MAX = 9007199254740991

local now, slack = tonumber(ARGV[1]), 3600000
if not now then
  local time = call('TIME')
  now, slack = time[1] * 1000000 + time[2], 1000
end
local limits, asked = cmsgpack.unpack(ARGV[2]), cmsgpack.unpack(ARGV[3])
local values = call('MGET', unpack(KEYS))
local KEYS, ARGV = KEYS, ARGV
local answer, n, m = {}, 0, 0

-- What was written last: buckets that nobody had used for a while get the same text, and making it costs more than the arithmetic.
local written, writtenUsed, writtenRest, text, lifetime

for i = 1, #KEYS do
  local number, permits, callers = asked[m + 1], asked[m + 2], asked[m + 3]
  m = m + 3
  local p, q, burst, head = limits[number * 3 - 2], limits[number * 3 - 1], limits[number * 3], ARGV[3 + number]
  local value, used, rest = values[i], 0, 0
  local isCommon = true
  if value then
    local at, usedThen, restThen
    if find(value, head, 1, true) == 1 then
      at, usedThen, restThen = match(value, '^at=(%d+) used=(%d+) rest=(%d+)$', #head + 1)
    end
    isCommon = at ~= nil
    if isCommon then
      local elapsed = now - at
      used, rest = usedThen + 0, restThen + 0
      if elapsed > 0 then
        local drained = elapsed * p
        local drainedRest = drained % q
        isCommon = drained <= MAX
        used, rest = used - (drained - drainedRest) / q, rest - drainedRest
        if rest < 0 then used, rest = used - 1, rest + q end
        if used < 0 then used, rest = 0, 0 end
      elseif elapsed < 0 then
        isCommon = false
      end
    end
  end

  local granted, remaining, wait, reset = ELSEWHERE, 0, 0, 0
  if isCommon then
    local free = burst - used
    if rest > 0 then free = free - 1 end
    if free >= permits * callers then
      granted = callers
    elseif free < permits then
      granted = 0
    else
      granted = floor(free / permits)
    end
    local usedNow = used + granted * permits
    -- Both waits are quotients of at most this by p.
    if (usedNow + permits) * q > MAX - q then
      granted = ELSEWHERE
    else
      remaining = free - granted * permits
      if remaining < 0 then remaining = 0 end
      if granted < callers then wait = ceil(((permits - (burst - usedNow)) * q + rest) / p) end
      reset = ceil((usedNow * q + rest) / p)
      if granted > 0 then
        if usedNow ~= writtenUsed or rest ~= writtenRest or number ~= written then
          written, writtenUsed, writtenRest = number, usedNow, rest
          text = format('%sat=%d used=%d rest=%d', head, now, usedNow, rest)
          lifetime = format('%d', ceil(reset / 1000) + slack)
        end
        if value then
          call('SET', KEYS[i], text, 'PX', lifetime)
        elseif not call('SET', KEYS[i], text, 'PX', lifetime, 'NX') then
          -- It holds something that is no string.
          granted = ELSEWHERE
        end
      end
    end
  end
  answer[n + 1], answer[n + 2], answer[n + 3], answer[n + 4] = granted, remaining, wait, reset
  n = n + 4
end
return answer
