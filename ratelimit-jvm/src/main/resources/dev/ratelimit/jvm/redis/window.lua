-- What the windows share: aligned to multiples of the period since 1970.
local function window()
  local Window = {}

  function Window.limit(text)
    local permits, period = string.match(text, '^(%d+)/(%d+)us$')
    if not permits then return nil end
    return { burst = tonumber(permits), period = tonumber(period) }
  end

  function Window.indexAt(limit, now)
    return math.floor(now / limit.period)
  end

  -- Microseconds since the start of a window; 0 before it.
  function Window.offset(limit, index, now)
    return math.max(now - index * limit.period, 0)
  end

  function Window.untilStart(limit, index, later, now)
    return math.min((index + later) * limit.period - now, MAX)
  end

  return Window
end
