-- Buckets in keys. A bucket is "<algorithm> <limit> | <state>" in a string, or a hash for the log, whose field "limit" is the same
-- "<algorithm> <limit>". Whoever reads it with redis-cli sees the whole state; and a bucket knows the limit that ruled it last, so
-- another can take it over.
local ALGORITHMS = {
  ['token-bucket'] = TokenBucket,
  ['leaky-bucket'] = LeakyBucket,
  ['fixed-window'] = FixedWindow,
  ['sliding-window'] = SlidingWindow,
  ['sliding-log'] = SlidingLog,
}

-- "<algorithm> <limit>" with its arithmetic; nil when it is none.
local function limitOf(text)
  local name, numbers = string.match(text, '^(%S+) (.+)$')
  local algorithm = ALGORITHMS[name]
  local limit = algorithm and algorithm.limit(numbers)
  if not limit then return nil end
  limit.text, limit.algorithm = text, algorithm
  return limit
end

-- The bucket in a key: the limit that rules it and its state; nothing when there is none. Raises when the key holds something else.
local function load(key, expected)
  local value = redis.pcall('GET', key)
  if value == false then return nil end
  if type(value) == 'table' then
    if not string.find(value.err, 'WRONGTYPE', 1, true) then error(value.err) end
    local text = redis.pcall('HGET', key, 'limit')
    local limit = type(text) == 'string' and limitOf(text)
    local state = limit and limit.algorithm == SlidingLog and SlidingLog.load(key)
    if not state then error({ damaged = true }) end
    return limit, state
  end
  local limit, text
  local length = expected and string.len(expected.text)
  if expected and string.sub(value, 1, length + 3) == expected.text .. ' | ' then
    limit, text = expected, string.sub(value, length + 4)
  else
    local name
    name, text = string.match(value, '^(.-) | (.*)$')
    limit = name and limitOf(name)
  end
  local state = limit and limit.algorithm.read and limit.algorithm.read(text)
  if not state then error({ damaged = true }) end
  return limit, state
end

-- The state under another limit: what was used stays used.
local function carried(limit, from, state, now)
  if limit.algorithm == from.algorithm then
    local kept = limit.algorithm.carry(limit, from, state, now)
    if kept then return kept end
  end
  local used = math.min(from.burst - from.algorithm.remaining(from, state, now), limit.burst)
  local fresh = limit.algorithm.fresh(limit, now)
  if used > 0 then return limit.algorithm.add(limit, fresh, now, used) end
  return fresh
end

-- Keeps the bucket for as long as it differs from one of which nothing is known, and for slack milliseconds more.
local function save(key, limit, state, now, slack, unknown)
  local wait = limit.algorithm.resetAfter(limit, state, now)
  if unknown then wait = math.max(wait, limit.algorithm.resetAfter(limit, unknown, now)) end
  if wait == 0 then
    redis.call('DEL', key)
    return
  end
  local ttl = string.format('%.0f', math.ceil(wait / 1000) + slack)
  if limit.algorithm.save then
    limit.algorithm.save(key, limit.text, state, ttl)
  else
    redis.call('SET', key, limit.text .. ' | ' .. limit.algorithm.write(state), 'PX', ttl)
  end
end
