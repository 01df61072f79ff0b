-- The twin of WideLeakyBucket (LeakyBucket.kt): a token bucket that tells the turn, which comes when all before it has drained.
local function leakyBucket()
  local TokenBucket = tokenBucket()
  local LeakyBucket = {}
  for name, value in pairs(TokenBucket) do LeakyBucket[name] = value end
  LeakyBucket.isSmooth = nil

  function LeakyBucket.delay(limit, state, now)
    return TokenBucket.resetAfter(limit, state, now)
  end

  -- What waits in the bucket goes on waiting.
  function LeakyBucket.carry(limit, from, state, now)
    return TokenBucket.carry(limit, from, state, now, true)
  end

  return LeakyBucket
end
