-- Buckets in keys. A bucket is "<algorithm> <limit> | <state>" in a string, or a hash for the log, whose field "limit" is the same
-- "<algorithm> <limit>". Whoever reads it with redis-cli sees the whole state; and a bucket knows the limit that ruled it last, so
-- another can take it over.
local ALGORITHMS = {
  ['token-bucket'] = tokenBucket,
  ['leaky-bucket'] = leakyBucket,
  ['fixed-window'] = fixedWindow,
  ['sliding-window'] = slidingWindow,
  ['sliding-log'] = slidingLog,
}
local known = {}

-- "<algorithm> <limit>" with its arithmetic; nil when it is none. An algorithm is defined when it is first named: most calls need one.
local function limitOf(text)
  local name, numbers = string.match(text, '^(%S+) (.+)$')
  local algorithm = known[name]
  if not algorithm then
    if not ALGORITHMS[name] then return nil end
    algorithm = ALGORITHMS[name]()
    known[name] = algorithm
  end
  local limit = algorithm.limit(numbers)
  if not limit then return nil end
  limit.text, limit.algorithm = text, algorithm
  limit.head = text .. ' | '
  return limit
end

-- The log in a hash: the limit that rules it and its state. Raises when it is none.
local function loadHash(key)
  local text = redis.pcall('HGET', key, 'limit')
  if type(text) == 'table' and not string.find(text.err, 'WRONGTYPE', 1, true) then error(text.err) end
  local limit = type(text) == 'string' and limitOf(text)
  local state = limit and limit.algorithm.isHash and limit.algorithm.load(key)
  if not state then error({ damaged = true }) end
  return limit, state
end

-- The bucket in a key: the limit that rules it and its state; nothing when there is none. Raises when the key holds something else.
-- The value is what MGET has told, which tells nothing of keys that hold no string.
local function load(key, value, expected)
  if not value then
    value = redis.pcall('GET', key)
    if value == false then return nil end
    if type(value) == 'table' then
      if not string.find(value.err, 'WRONGTYPE', 1, true) then error(value.err) end
      return loadHash(key)
    end
  end
  local limit, from = expected, expected and string.len(expected.head) + 1
  if not limit or string.sub(value, 1, from - 1) ~= limit.head then
    local name = string.match(value, '^(.-) | ')
    limit = name and limitOf(name)
    from = limit and string.len(limit.head) + 1
  end
  local state = limit and limit.algorithm.read and limit.algorithm.read(value, from)
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

-- Keeps the bucket for as long as it differs from one of which nothing is known, and for slack milliseconds more. False when it does
-- not differ.
local function save(key, limit, state, now, slack, unknown)
  local wait = limit.algorithm.resetAfter(limit, state, now)
  if unknown then wait = math.max(wait, limit.algorithm.resetAfter(limit, unknown, now)) end
  if wait == 0 then return false end
  local ttl = math.ceil(wait / 1000) + slack
  if limit.algorithm.isHash then
    limit.algorithm.save(key, limit.text, state, ttl)
  else
    redis.call('SET', key, limit.head .. limit.algorithm.write(state), 'PX', ttl)
  end
  return true
end
