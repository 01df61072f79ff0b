-- The twin of WideTokenBucket.kt. The state: an instant, and what is in use at that instant, in permits and in q-ths of a permit, for a
-- rate of p permits in q microseconds.
--
-- Beyond its twin it knows turns that are to come, charged ahead at their instants: held is the level that they alone would make, which
-- must stay whatever is given back, for they are others' already; by is who was granted the last of them, and tail how many permits in
-- a row. Who gives these back has nobody behind, so they come back whole. None of this is there once the turns are over.
local function tokenBucket()
  local TokenBucket = { isSmooth = true }

  -- p / q permits a microsecond, as the limit's text has them: "1/100000us burst 10".
  function TokenBucket.limit(text)
    local p, q, burst = string.match(text, '^(%d+)/(%d+)us burst (%d+)$')
    if not p then return nil end
    return { p = tonumber(p), q = tonumber(q), burst = tonumber(burst) }
  end

  function TokenBucket.read(text, from)
    local at, used, rest, turns = string.match(text, '^at=(%d+) used=(%d+) rest=(%d+)(.*)$', from)
    if not at then return nil end
    local state = { at = tonumber(at), used = tonumber(used), rest = tonumber(rest) }
    if turns == '' then return state end
    local held, heldRest, tail, by = string.match(turns, '^ held=(%d+) rest=(%d+) tail=(%d+) by=(%x+)$')
    if not held then return nil end
    state.held, state.heldRest, state.tail, state.by = tonumber(held), tonumber(heldRest), tonumber(tail), by
    return state
  end

  function TokenBucket.write(state)
    local text = string.format('at=%d used=%d rest=%d', state.at, state.used, state.rest)
    if not state.by then return text end
    return text .. string.format(' held=%d rest=%d tail=%d by=%s', state.held, state.heldRest, state.tail, state.by)
  end

  function TokenBucket.fresh(limit, now)
    return { at = now, used = 0, rest = 0 }
  end

  -- The level at the state's instant, less what has drained since.
  local function drainedLevel(limit, at, usedThen, restThen, now)
    local elapsed = now - at
    if elapsed == 0 then return usedThen, restThen end
    if elapsed >= 0 then
      local drained, drainedRest = Exact.mulDivRest(elapsed, limit.p, limit.q)
      local used, rest = usedThen - drained, restThen - drainedRest
      if rest < 0 then used, rest = used - 1, rest + limit.q end
      if used < 0 then return 0, 0 end
      return used, rest
    end
    -- The clock has stepped back: at an earlier instant less had drained.
    local drained, drainedRest = Exact.mulDivRest(-elapsed, limit.p, limit.q)
    local used, rest = Exact.saturatedSum(usedThen, drained), restThen + drainedRest
    if rest >= limit.q then used, rest = Exact.saturatedSum(used, 1), rest - limit.q end
    return used, rest
  end

  local function levelOf(limit, state, now)
    return drainedLevel(limit, state.at, state.used, state.rest, now)
  end

  -- The same of what is held.
  local function heldOf(limit, state, now)
    if not state.by then return 0, 0 end
    return drainedLevel(limit, state.at, state.held, state.heldRest, now)
  end

  local function hold(state, held, heldRest, tail, by)
    if held == 0 and heldRest == 0 then tail, by = nil, nil end
    state.held, state.heldRest, state.tail, state.by = held, heldRest, tail, by
  end

  -- Whole permits that are free; negative in debt.
  local function free(limit, used, rest)
    if rest > 0 then used = used + 1 end
    return limit.burst - used
  end

  function TokenBucket.admits(limit, state, now, permits)
    return permits <= free(limit, levelOf(limit, state, now))
  end

  -- By somebody: a turn that is to come at this instant.
  function TokenBucket.add(limit, state, now, permits, by)
    local used, rest = levelOf(limit, state, now)
    local held, heldRest = heldOf(limit, state, now)
    local tail = state.tail
    if by then
      held = Exact.saturatedSum(held, permits)
      tail = Exact.saturatedSum(state.by == by and tail or 0, permits)
    end
    hold(state, held, heldRest, tail, by or state.by)
    state.at, state.used, state.rest = now, Exact.saturatedSum(used, permits), rest
    return state
  end

  -- By somebody: turns of theirs, the last of which may be to come.
  function TokenBucket.giveBack(limit, state, now, permits, by)
    local used, rest = levelOf(limit, state, now)
    local held, heldRest = heldOf(limit, state, now)
    local after = { at = now, used = used - permits, rest = rest }
    local last = by and state.by == by and math.min(permits, state.tail) or 0
    if held < last then held, heldRest = 0, 0 else held = held - last end
    hold(after, held, heldRest, (state.tail or 0) - last, state.by)
    if after.used < held or (after.used == held and rest < heldRest) then after.used, after.rest = held, heldRest end
    return after
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
