-- The twin of SlidingLog.kt. Every grant is an entry: an instant, and the running total of permits up to and including it, modulo 2^52.
-- A hash holds them by number from "first" to "next" - 1; "base" is the total before the first, "newest" the latest instant seen.
-- A script reads the entries that a binary search touches, no more.
local function slidingLog()
  local Window = window()
  local SlidingLog = { limit = Window.limit, isHash = true }
  local TOTALS = 4503599627370496

  function SlidingLog.load(key)
    local head = redis.call('HMGET', key, 'first', 'next', 'base', 'newest')
    local state = { key = key, entries = {} }
    state.first, state.next = tonumber(head[1] or nil), tonumber(head[2] or nil)
    state.base, state.newest = tonumber(head[3] or nil), tonumber(head[4] or nil)
    if not (state.first and state.next and state.base and state.newest) then return nil end
    state.savedFirst, state.savedNext = state.first, state.next
    return state
  end

  function SlidingLog.save(key, text, state, ttl)
    local fresh = state.key ~= key
    -- What is there is replaced, not deleted first: that alone would succeed when Redis is out of memory.
    if fresh and redis.call('EXISTS', key) == 1 then
      redis.call('SET', key, text)
      redis.call('DEL', key)
    end
    local fields = { 'limit', text, 'first', state.first, 'next', state.next, 'base', state.base, 'newest', state.newest }
    for i = 3, #fields, 2 do fields[i + 1] = string.format('%d', fields[i + 1]) end
    for i = state.first, state.next - 1 do
      local entry = state.entries[i]
      if entry and (fresh or entry.changed) then
        fields[#fields + 1] = string.format('%d', i)
        fields[#fields + 1] = string.format('%d:%d', entry.instant, entry.total)
      end
      if #fields > 1000 then
        redis.call('HSET', key, unpack(fields))
        fields = { 'limit', text }
      end
    end
    redis.call('HSET', key, unpack(fields))
    if not fresh then
      local gone = {}
      local function drop(from, to)
        for i = from, to do
          gone[#gone + 1] = string.format('%d', i)
          if #gone == 1000 or i == to then
            redis.call('HDEL', key, unpack(gone))
            gone = {}
          end
        end
      end
      drop(state.savedFirst, math.min(state.first, state.savedNext) - 1)
      drop(math.max(state.next, state.savedFirst), state.savedNext - 1)
    end
    redis.call('PEXPIRE', key, ttl)
  end

  function SlidingLog.fresh(limit, now)
    return { entries = {}, first = 0, next = 0, base = 0, newest = now }
  end

  local function entryAt(state, i)
    local entry = state.entries[i]
    if not entry then
      local text = redis.call('HGET', state.key, string.format('%d', i))
      local instant, total = string.match(text or '', '^(%d+):(%d+)$')
      if not instant then error({ damaged = true }) end
      entry = { instant = tonumber(instant), total = tonumber(total) }
      state.entries[i] = entry
    end
    return entry
  end

  local function totalBefore(state, i)
    if i == state.first then return state.base end
    return entryAt(state, i - 1).total
  end

  local function search(state, from, reached)
    local low, high = from, state.next
    while low < high do
      local middle = math.floor((low + high) / 2)
      if reached(middle) then high = middle else low = middle + 1 end
    end
    return low
  end

  local function effective(state, now)
    return math.max(now, state.newest)
  end

  -- The first entry that still counts.
  local function firstActive(limit, state, instant)
    return search(state, state.first, function(i) return instant - entryAt(state, i).instant < limit.period end)
  end

  local function active(limit, state, now)
    return (totalBefore(state, state.next) - totalBefore(state, firstActive(limit, state, effective(state, now)))) % TOTALS
  end

  function SlidingLog.admits(limit, state, now, permits)
    return permits <= limit.burst - active(limit, state, now)
  end

  function SlidingLog.add(limit, state, now, permits)
    local instant = effective(state, now)
    local first = firstActive(limit, state, instant)
    state.newest = instant
    state.base = totalBefore(state, first)
    state.first = first
    -- Debt ends where the totals do.
    local inForce = (totalBefore(state, state.next) - state.base) % TOTALS
    local total = (state.base + math.min(inForce + permits, TOTALS / 2)) % TOTALS
    local last = state.next > first and entryAt(state, state.next - 1)
    if last and last.instant == instant then
      last.total = total
      last.changed = true
    else
      state.entries[state.next] = { instant = instant, total = total, changed = true }
      state.next = state.next + 1
    end
    return state
  end

  -- The oldest go first.
  function SlidingLog.giveBack(limit, state, now, permits)
    local first = firstActive(limit, state, effective(state, now))
    local before = totalBefore(state, first)
    local back = math.min(permits, (totalBefore(state, state.next) - before) % TOTALS)
    state.first = search(state, first, function(i) return (entryAt(state, i).total - before) % TOTALS > back end)
    state.base = (before + back) % TOTALS
    return state
  end

  function SlidingLog.remaining(limit, state, now)
    return math.max(limit.burst - active(limit, state, now), 0)
  end

  function SlidingLog.waitFor(limit, state, now, permits, ahead)
    local instant = effective(state, now)
    local first = firstActive(limit, state, instant)
    local before = totalBefore(state, first)
    local inUse = (totalBefore(state, state.next) - before) % TOTALS
    local excess = inUse + Exact.saturatedSum(permits, ahead) - limit.burst
    if excess <= 0 then return 0 end
    -- The wait ends when that many permits have left. Each makes room for one in line, which leaves a period later.
    local inForce = math.max(inUse, limit.burst)
    local round = math.floor((excess - 1) / inForce)
    local leaving = (excess - 1) % inForce + 1
    local left = instant
    if leaving <= inUse then
      left = entryAt(state, search(state, first, function(i) return (entryAt(state, i).total - before) % TOTALS >= leaving end)).instant
    end
    return math.min(left - now + limit.period + round * limit.period, MAX)
  end

  function SlidingLog.resetAfter(limit, state, now)
    if active(limit, state, now) == 0 then return 0 end
    return entryAt(state, state.next - 1).instant - now + limit.period
  end

  function SlidingLog.delay()
    return 0
  end

  function SlidingLog.carry(limit, from, state)
    return state
  end

  return SlidingLog
end
