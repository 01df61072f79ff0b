-- One call of the script: a batch of requests, each atomic by itself, answered in order.
--
--   KEYS  the buckets that the requests name, each once
--         and last, in strict mode, the marker that tells how long nothing has been lost
--   ARGV  the instant in microseconds (for tests: keys then outlive it by an hour), or "" for the server's own clock;
--         "strict" or ""; the number of limits; the limits, as "<algorithm> <limit>"; then the requests one after another:
--         either "one", the number of its bucket, the number of its limit, permits, and how many ask for them; or another
--         operation, longest delay ("" for no bound), a count, whose turns they are, in hexadecimal digits ("" for no turns), number of
--         charges, and for each charge the number of its bucket, the number of its limit, and the permits
--
-- The answer has seven whole numbers for each request, times in microseconds:
--   status (how many were granted, for most requests 1 or 0; -1 the bucket at the next number is damaged), number of the limit
--   that decided, remaining, wait, reset, delay, and how many more numbers follow that belong to this request
--
-- The operations: one is an acquire of a single charge, by several callers at once. acquire grants all charges or none. peek tells what acquire would answer behind others who wait for count
-- permits. take is an acquire of up to count permits from the only charge, at least its permits; the delay tells how many. reserve
-- grants up to count turns that are to come, each of all charges; the first within the longest delay, the others within SPAN of it;
-- what follows the answer are the waits until each turn. adjust corrects without asking. reset forgets.
local ONE, ACQUIRE, PEEK, TAKE, RESERVE, ADJUST, RESET = 'one', 'acquire', 'peek', 'take', 'reserve', 'adjust', 'reset'
local SPAN = 100000
local YEAR = 31536000000
local GRANTED, REFUSED, DONE, DAMAGED = 1, 0, 1, -1

local now, slack = tonumber(ARGV[1]), 3600000
if not now then
  slack = 1000
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local lostAt
if ARGV[2] == 'strict' then
  local marker = KEYS[#KEYS]
  lostAt = string.match(redis.call('GETEX', marker, 'PX', YEAR) or '', '^since=(%d+)$')
  if lostAt then
    lostAt = tonumber(lostAt)
  else
    lostAt = now
    redis.call('SET', marker, string.format('since=%d', now), 'PX', YEAR)
  end
end

-- The state of a bucket of which nothing is known: full, or as it is after the loss of everything at lostAt.
local function unknown(limit)
  local fresh = limit.algorithm.fresh(limit, now)
  if not lostAt then return fresh end
  local instant = math.min(lostAt, now)
  local lost = limit.algorithm.add(limit, limit.algorithm.fresh(limit, instant), instant, limit.burst)
  if limit.algorithm.resetAfter(limit, lost, now) == 0 then return fresh end
  return lost
end

local position = 3
local function nextArgument()
  position = position + 1
  return ARGV[position]
end

local limits = {}
for i = 1, tonumber(ARGV[3]) do
  limits[i] = limitOf(nextArgument())
end

-- Each bucket is read once and written once in a batch, however many requests name it.
local buckets = {}
local changed = {}
local values = {}
if #KEYS > 0 and #KEYS < 4000 then values = redis.call('MGET', unpack(KEYS)) end

local function bucketAt(number, limit)
  local bucket = buckets[number]
  if bucket then return bucket end
  local ruling, state = load(KEYS[number], values[number], limit)
  if ruling then
    bucket = { limit = ruling, state = state }
  else
    bucket = { limit = limit, state = unknown(limit) }
  end
  buckets[number] = bucket
  return bucket
end

-- The bucket that is being read, to be named if it is damaged.
local reading

-- Grants as many of the callers as there are permits for: all ask at this instant, so the first ones get them.
local function one()
  local number, limitNumber = tonumber(ARGV[position + 1]), tonumber(ARGV[position + 2])
  local permits, callers = tonumber(ARGV[position + 3]), tonumber(ARGV[position + 4])
  position = position + 4
  reading = number
  local limit = limits[limitNumber]
  local algorithm = limit.algorithm
  local bucket = bucketAt(number, limit)
  local state = bucket.state
  local isOther = bucket.limit ~= limit
  if isOther then state = carried(limit, bucket.limit, state, now) end
  local free, delay, wait = algorithm.remaining(limit, state, now), 0, 0
  -- Kept only after it was read: one that is damaged must not be written.
  if isOther then bucket.limit, bucket.state, changed[number] = limit, state, true end
  local granted = math.min(math.floor(free / permits), callers)
  if granted > 0 then
    delay = algorithm.delay(limit, state, now)
    state = algorithm.add(limit, state, now, granted * permits)
    bucket.state, changed[number] = state, true
    free = free - granted * permits
  end
  if granted < callers then wait = algorithm.waitFor(limit, state, now, permits, 0) end
  return granted, limitNumber, free, wait, algorithm.resetAfter(limit, state, now), delay
end

-- The other operations, defined when one is asked for: most calls need none.
local function listOperations()
  -- The charges of a request, with the state that each has under its own limit.
  local function readCharges()
    local charges = {}
    for i = 1, tonumber(nextArgument()) do
      local number = tonumber(nextArgument())
      local limitNumber = tonumber(nextArgument())
      charges[i] = { number = number, limitNumber = limitNumber, limit = limits[limitNumber], permits = tonumber(nextArgument()) }
    end
    return charges
  end

  local function look(charge)
    reading = charge.number
    local bucket = bucketAt(charge.number, charge.limit)
    charge.state = bucket.state
    if bucket.limit.text ~= charge.limit.text then
      charge.state = carried(charge.limit, bucket.limit, bucket.state, now)
    end
  end

  local function keep(charge, state)
    buckets[charge.number] = { limit = charge.limit, state = state }
    changed[charge.number] = true
  end

  -- The answer of the charge that has to wait longest; nil when all are admitted.
  local function refusal(charges, maxDelay, ahead)
    local worst, worstWait = nil, 0
    for _, charge in ipairs(charges) do
      local limit, state = charge.limit, charge.state
      local algorithm = limit.algorithm
      local wait = 0
      if maxDelay then wait = algorithm.delay(limit, state, now) - maxDelay end
      if wait > 0 or ahead > 0 or not algorithm.admits(limit, state, now, charge.permits) then
        wait = math.max(wait, algorithm.waitFor(limit, state, now, charge.permits, ahead))
        if wait > worstWait then worst, worstWait = charge, wait end
      end
    end
    if not worst then return nil end
    local limit, state = worst.limit, worst.state
    return REFUSED, worst.limitNumber, limit.algorithm.remaining(limit, state, now), worstWait,
      limit.algorithm.resetAfter(limit, state, now), 0
  end

  -- The answer to a granted list, from the states after it: the scarcest limit, the longest times.
  local function grant(charges, delay)
    local scarcest, least, reset = nil, nil, 0
    for _, charge in ipairs(charges) do
      local limit, state = charge.limit, charge.state
      local remaining = limit.algorithm.remaining(limit, state, now)
      if not scarcest or remaining < least then scarcest, least = charge, remaining end
      reset = math.max(reset, limit.algorithm.resetAfter(limit, state, now))
    end
    return GRANTED, scarcest.limitNumber, least, 0, reset, delay
  end

  local function longestDelay(charges)
    local longest = 0
    for _, charge in ipairs(charges) do
      longest = math.max(longest, charge.limit.algorithm.delay(charge.limit, charge.state, now))
    end
    return longest
  end

  local operations = {}

  operations[ACQUIRE] = function(charges, maxDelay)
    for _, charge in ipairs(charges) do look(charge) end
    local status, limitNumber, remaining, wait, reset = refusal(charges, maxDelay, 0)
    if status then
      -- A limit rules from the call on that brings it, granted or not.
      for _, charge in ipairs(charges) do
        if buckets[charge.number].limit.text ~= charge.limit.text then keep(charge, charge.state) end
      end
      return status, limitNumber, remaining, wait, reset, 0
    end
    local delay = longestDelay(charges)
    for _, charge in ipairs(charges) do
      charge.state = charge.limit.algorithm.add(charge.limit, charge.state, now, charge.permits)
      keep(charge, charge.state)
    end
    return grant(charges, delay)
  end

  operations[PEEK] = function(charges, _, ahead)
    for _, charge in ipairs(charges) do look(charge) end
    local status, limitNumber, remaining, wait, reset = refusal(charges, nil, ahead)
    if status then return status, limitNumber, remaining, wait, reset, 0 end
    return grant(charges, longestDelay(charges))
  end

  operations[TAKE] = function(charges, maxDelay, most)
    local charge = charges[1]
    look(charge)
    local free = charge.limit.algorithm.remaining(charge.limit, charge.state, now)
    charge.permits = math.max(charge.permits, math.min(free, most))
    local status, limitNumber, remaining, wait, reset = operations[ACQUIRE](charges, maxDelay)
    return status, limitNumber, remaining, wait, reset, charge.permits
  end

  -- How long from now until the next turn; nil when that is later than last. Token buckets are charged ahead, at the instant of the turn.
  -- Others are charged now: a window that was charged ahead could not tell what is still free in the one that is open, and a leaky
  -- bucket tells the turn itself.
  local function nextTurn(charges, isAhead, from, last)
    while from <= last do
      local wait, delay = 0, 0
      for _, charge in ipairs(charges) do
        local limit, algorithm = charge.limit, charge.limit.algorithm
        delay = math.max(delay, algorithm.delay(limit, charge.state, now + from))
        if not algorithm.admits(limit, charge.state, now + from, charge.permits) then
          wait = math.max(wait, algorithm.waitFor(limit, charge.state, now + from, charge.permits, 0))
        end
      end
      if wait == 0 then return delay <= last and from, delay end
      if not isAhead then return nil end
      from = from + wait
    end
    return nil
  end

  operations[RESERVE] = function(charges, within, count, by)
    for _, charge in ipairs(charges) do look(charge) end
    local isAhead = true
    for _, charge in ipairs(charges) do isAhead = isAhead and charge.limit.algorithm.isSmooth end
    local waits = {}
    local from, last = 0, within
    while #waits < count do
      local turn, delay = nextTurn(charges, isAhead, from, last)
      if not turn then break end
      from = turn
      if #waits == 0 then last = math.max(turn, delay) + SPAN end
      for _, charge in ipairs(charges) do
        charge.state = charge.limit.algorithm.add(charge.limit, charge.state, now + turn, charge.permits, turn > 0 and by)
      end
      waits[#waits + 1] = math.max(turn, delay)
    end
    if #waits == 0 then return operations[ACQUIRE](charges, within) end
    for _, charge in ipairs(charges) do keep(charge, charge.state) end
    local status, limitNumber, remaining, wait, reset = grant(charges, 0)
    return status, limitNumber, remaining, wait, reset, 0, waits
  end

  -- In the order of the list, because a bucket that is full keeps nothing of what is given back.
  operations[ADJUST] = function(charges, _, _, by)
    for _, charge in ipairs(charges) do look(charge) end
    for _, charge in ipairs(charges) do
      look(charge)
      local limit, permits = charge.limit, charge.permits
      if permits > 0 then
        keep(charge, limit.algorithm.add(limit, charge.state, now, permits))
      elseif permits < 0 then
        keep(charge, limit.algorithm.giveBack(limit, charge.state, now, -permits, by))
      end
    end
    return DONE, 0, 0, 0, 0, 0
  end

  local function rulingOf(number)
    local isBucket, limit = pcall(load, KEYS[number])
    return { limit = isBucket and limit or nil }
  end

  operations[RESET] = function(charges)
    for _, charge in ipairs(charges) do
      -- Where no bucket is known to be full, one that was reset has to say so.
      local known = lostAt and (buckets[charge.number] or rulingOf(charge.number))
      redis.call('DEL', KEYS[charge.number])
      buckets[charge.number] = nil
      changed[charge.number] = nil
      if known and known.limit then
        buckets[charge.number] = { limit = known.limit, state = known.limit.algorithm.fresh(known.limit, now) }
        changed[charge.number] = true
      end
    end
    return DONE, 0, 0, 0, 0, 0
  end

  return function()
    local operation = operations[ARGV[position]]
    local maxDelay = tonumber(nextArgument())
    local count = tonumber(nextArgument())
    local by = string.match(nextArgument(), '^%x+$')
    return operation(readCharges(), maxDelay, count, by)
  end
end

local answer, size = {}, 0
local listed
while position < #ARGV do
  local operation = one
  if nextArgument() ~= ONE then
    listed = listed or listOperations()
    operation = listed
  end
  local isFine, status, limitNumber, remaining, wait, reset, delay, waits = pcall(operation)
  if not isFine then
    if type(status) ~= 'table' or not status.damaged then error(status) end
    status, limitNumber, remaining, wait, reset, delay = DAMAGED, reading, 0, 0, 0, 0
  end
  answer[size + 1], answer[size + 2], answer[size + 3], answer[size + 4] = status, limitNumber, remaining, wait
  answer[size + 5], answer[size + 6], answer[size + 7] = reset, delay, waits and #waits or 0
  size = size + 7
  for i = 1, answer[size] do answer[size + i] = waits[i] end
  size = size + answer[size]
end

-- What has to be written before what may be deleted: when Redis is out of memory the former fails, and then nothing has changed.
local full = {}
for number in pairs(changed) do
  local bucket = buckets[number]
  local bare = lostAt and unknown(bucket.limit)
  local isFine, isKept = pcall(save, KEYS[number], bucket.limit, bucket.state, now, slack, bare)
  -- Redis 7.0 does not survive an error that is a table of ours.
  if not isFine and type(isKept) == 'table' and isKept.damaged then error('the bucket at ' .. KEYS[number] .. ' is damaged') end
  if not isFine then error(isKept) end
  if not isKept then full[#full + 1] = KEYS[number] end
end
for _, key in ipairs(full) do redis.call('DEL', key) end
return answer
