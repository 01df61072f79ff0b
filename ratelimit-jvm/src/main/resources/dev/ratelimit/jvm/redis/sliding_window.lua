-- The twin of SlidingWindow.kt. The state: the index of the current window, its count, and the count of the one before.
local function slidingWindow()
  local Window = window()
  local SlidingWindow = { limit = Window.limit }

  function SlidingWindow.read(text, from)
    local index, current, previous = string.match(text, '^window=(%d+) used=(%d+) before=(%d+)$', from)
    if not index then return nil end
    return { index = tonumber(index), current = tonumber(current), previous = tonumber(previous) }
  end

  function SlidingWindow.write(state)
    return string.format('window=%d used=%d before=%d', state.index, state.current, state.previous)
  end

  function SlidingWindow.fresh(limit, now)
    return { index = Window.indexAt(limit, now), current = 0, previous = 0 }
  end

  -- The state as the window of now, or that of a later state, has it: its index, its count, and the count before.
  local function counts(limit, state, now)
    local index = math.max(state.index, Window.indexAt(limit, now))
    if index == state.index then return index, state.current, state.previous end
    if index == state.index + 1 then return index, 0, state.current end
    return index, 0, 0
  end

  local function fits(limit, previous, current, elapsed, permits)
    local room = limit.burst - current
    return permits <= room and Exact.productAtMost(previous, limit.period - elapsed, room - permits, limit.period)
  end

  function SlidingWindow.admits(limit, state, now, permits)
    local index, current, previous = counts(limit, state, now)
    return fits(limit, previous, current, Window.offset(limit, index, now), permits)
  end

  function SlidingWindow.add(limit, state, now, permits)
    local index, current, previous = counts(limit, state, now)
    return { index = index, current = Exact.saturatedSum(current, permits), previous = previous }
  end

  function SlidingWindow.giveBack(limit, state, now, permits)
    if math.max(state.index, Window.indexAt(limit, now)) ~= state.index then return state end
    return { index = state.index, current = math.max(state.current - permits, 0), previous = state.previous }
  end

  function SlidingWindow.remaining(limit, state, now)
    local index, current, previous = counts(limit, state, now)
    local weighted = Exact.mulDivUp(previous, limit.period - Window.offset(limit, index, now), limit.period)
    return math.max(limit.burst - Exact.saturatedSum(current, weighted), 0)
  end

  function SlidingWindow.waitFor(limit, state, now, permits, ahead)
    local index, current, previous = counts(limit, state, now)
    local wanted = Exact.saturatedSum(permits, ahead)
    if fits(limit, previous, current, Window.offset(limit, index, now), wanted) then return 0 end
    -- The wanted permits that do not fit into the current window even when the previous one has left it.
    local left = wanted
    if wanted > limit.burst - current then
      if ahead > 0 then
        left = wanted - math.max(limit.burst - current, 0)
        current = math.max(current, limit.burst)
      end
      previous = current
      current = 0
      index = index + 1
      -- Every window on the way is filled to its last permit.
      local filled = math.floor((left - 1) / limit.burst)
      if filled > 0 then
        left = left - filled * limit.burst
        previous = limit.burst
        index = index + filled
      end
    end
    local room = limit.burst - current - left
    -- previous * (period - elapsed) <= room * period, solved for the least elapsed
    local covered = limit.period
    if previous > 0 then covered = math.min(Exact.mulDivDown(room, limit.period, previous), limit.period) end
    return math.min(index * limit.period - now + (limit.period - covered), MAX)
  end

  function SlidingWindow.resetAfter(limit, state, now)
    local index, current, previous = counts(limit, state, now)
    if current > 0 then return Window.untilStart(limit, index, 2, now) end
    if previous > 0 then return Window.untilStart(limit, index, 1, now) end
    return 0
  end

  function SlidingWindow.delay()
    return 0
  end

  function SlidingWindow.carry(limit, from, state, now)
    if from.period == limit.period then return state end
    return nil
  end

  return SlidingWindow
end
