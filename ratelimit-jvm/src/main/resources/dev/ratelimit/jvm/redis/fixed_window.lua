-- The twin of FixedWindow.kt. The state: the index of a window, counted in periods since 1970, and its count.
local function fixedWindow()
  local Window = window()
  local FixedWindow = { limit = Window.limit }

  function FixedWindow.read(text, from)
    local index, count = string.match(text, '^window=(%d+) used=(%d+)$', from)
    if not index then return nil end
    return { index = tonumber(index), count = tonumber(count) }
  end

  function FixedWindow.write(state)
    return string.format('window=%d used=%d', state.index, state.count)
  end

  function FixedWindow.fresh(limit, now)
    return { index = Window.indexAt(limit, now), count = 0 }
  end

  local function used(limit, state, now)
    if Window.indexAt(limit, now) > state.index then return 0 end
    return state.count
  end

  function FixedWindow.admits(limit, state, now, permits)
    return permits <= limit.burst - used(limit, state, now)
  end

  function FixedWindow.add(limit, state, now, permits)
    return {
      index = math.max(state.index, Window.indexAt(limit, now)),
      count = Exact.saturatedSum(used(limit, state, now), permits),
    }
  end

  function FixedWindow.giveBack(limit, state, now, permits)
    if Window.indexAt(limit, now) > state.index then return state end
    return { index = state.index, count = math.max(state.count - permits, 0) }
  end

  function FixedWindow.remaining(limit, state, now)
    return math.max(limit.burst - used(limit, state, now), 0)
  end

  function FixedWindow.waitFor(limit, state, now, permits, ahead)
    local free = limit.burst - used(limit, state, now)
    local wanted = Exact.saturatedSum(permits, ahead)
    if wanted <= free then return 0 end
    local later = 1
    if ahead > 0 then later = math.ceil((wanted - math.max(free, 0)) / limit.burst) end
    return Window.untilStart(limit, math.max(state.index, Window.indexAt(limit, now)), later, now)
  end

  function FixedWindow.resetAfter(limit, state, now)
    if used(limit, state, now) == 0 then return 0 end
    return Window.untilStart(limit, state.index, 1, now)
  end

  function FixedWindow.delay()
    return 0
  end

  function FixedWindow.carry(limit, from, state, now)
    if from.period == limit.period then return state end
    return nil
  end

  return FixedWindow
end
