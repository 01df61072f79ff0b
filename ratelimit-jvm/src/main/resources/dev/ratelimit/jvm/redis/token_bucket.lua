-- The twin of WideTokenBucket.kt. The state: an instant, and what is in use at that instant, in permits and in q-ths of a permit, for a
-- rate of p permits in q microseconds.
local function tokenBucket()
  local TokenBucket = { isSmooth = true }

  -- p / q permits a microsecond, as the limit's text has them: "1/100000us burst 10".
  function TokenBucket.limit(text)
    local p, q, burst = string.match(text, '^(%d+)/(%d+)us burst (%d+)$')
    if not p then return nil end
    return { p = tonumber(p), q = tonumber(q), burst = tonumber(burst) }
  end

  function TokenBucket.read(text, from)
    local at, used, rest = string.match(text, '^at=(%d+) used=(%d+) rest=(%d+)$', from)
    if not at then return nil end
    return { at = tonumber(at), used = tonumber(used), rest = tonumber(rest) }
  end

  function TokenBucket.write(state)
    return string.format('at=%d used=%d rest=%d', state.at, state.used, state.rest)
  end

  function TokenBucket.fresh(limit, now)
    return { at = now, used = 0, rest = 0 }
  end

  -- The level at the state's instant, less what has drained since.
  local function levelOf(limit, state, now)
    local elapsed = now - state.at
    if elapsed == 0 then return state.used, state.rest end
    if elapsed >= 0 then
      local drained, drainedRest = Exact.mulDivRest(elapsed, limit.p, limit.q)
      local used, rest = state.used - drained, state.rest - drainedRest
      if rest < 0 then used, rest = used - 1, rest + limit.q end
      if used < 0 then return 0, 0 end
      return used, rest
    end
    -- The clock has stepped back: at an earlier instant less had drained.
    local drained, drainedRest = Exact.mulDivRest(-elapsed, limit.p, limit.q)
    local used, rest = Exact.saturatedSum(state.used, drained), state.rest + drainedRest
    if rest >= limit.q then used, rest = Exact.saturatedSum(used, 1), rest - limit.q end
    return used, rest
  end

  -- Whole permits that are free; negative in debt.
  local function free(limit, used, rest)
    if rest > 0 then used = used + 1 end
    return limit.burst - used
  end

  function TokenBucket.admits(limit, state, now, permits)
    return permits <= free(limit, levelOf(limit, state, now))
  end

  function TokenBucket.add(limit, state, now, permits)
    local used, rest = levelOf(limit, state, now)
    state.at, state.used, state.rest = now, Exact.saturatedSum(used, permits), rest
    return state
  end

  function TokenBucket.giveBack(limit, state, now, permits)
    local used, rest = levelOf(limit, state, now)
    if used < permits then return { at = now, used = 0, rest = 0 } end
    return { at = now, used = used - permits, rest = rest }
  end

  function TokenBucket.remaining(limit, state, now)
    return math.max(free(limit, levelOf(limit, state, now)), 0)
  end

  function TokenBucket.waitFor(limit, state, now, permits, ahead)
    local used, rest = levelOf(limit, state, now)
    local missing = Exact.saturatedSum(permits, ahead) - (limit.burst - used)
    if missing < 0 or (missing == 0 and rest == 0) then return 0 end
    return Exact.mulAddDivUp(missing, limit.q, rest, limit.p)
  end

  function TokenBucket.resetAfter(limit, state, now)
    local used, rest = levelOf(limit, state, now)
    return Exact.mulAddDivUp(used, limit.q, rest, limit.p)
  end

  function TokenBucket.delay(limit, state, now)
    return 0
  end

  -- A token bucket keeps the tokens it has, up to its new burst; a full one stays full.
  function TokenBucket.carry(limit, from, state, now, keepsLevel)
    local used, rest = levelOf(from, state, now)
    if not keepsLevel and (used > 0 or rest > 0) then
      used = Exact.saturatedSum(used, limit.burst - from.burst)
      if used < 0 then used, rest = 0, 0 end
    end
    rest = Exact.mulDivUp(rest, limit.q, from.q)
    if rest >= limit.q then used, rest = Exact.saturatedSum(used, 1), 0 end
    return { at = now, used = used, rest = rest }
  end

  return TokenBucket
end
