-- The twin of Exact.kt: products of two whole numbers below 2^53 without a rounding. Numbers of Lua are doubles, exact below 2^53;
-- only quotients whose product is larger are worked out in two limbs of 26 bits.
local MAX = 9007199254740991
local LIMB = 67108864

local Exact = {}

-- Whether the product of two whole numbers is exact.
function Exact.fits(a, b)
  return a * b <= MAX
end

-- a * b as high * 2^52 + low.
local function product(a, b)
  local a0, b0 = a % LIMB, b % LIMB
  local a1, b1 = (a - a0) / LIMB, (b - b0) / LIMB
  local cross1, cross2 = a1 * b0, a0 * b1
  local cross1Low, cross2Low = cross1 % LIMB, cross2 % LIMB
  local middle = cross1Low + cross2Low + math.floor(a0 * b0 / LIMB)
  local middleLow = middle % LIMB
  local high = a1 * b1 + (cross1 - cross1Low) / LIMB + (cross2 - cross2Low) / LIMB + (middle - middleLow) / LIMB
  return high, middleLow * LIMB + a0 * b0 % LIMB
end

-- Whether a * b <= c * d.
function Exact.productAtMost(a, b, c, d)
  local high1, low1 = product(a, b)
  local high2, low2 = product(c, d)
  return high1 < high2 or (high1 == high2 and low1 <= low2)
end

-- (a * b + plus) / c as a quotient and a rest; MAX where the quotient does not fit.
local function divided(a, b, plus, c)
  if a * b + plus <= MAX then
    local sum = a * b + plus
    local rest = sum % c
    return (sum - rest) / c, rest
  end
  if a * b / c > MAX - LIMB then return MAX, 0 end
  -- The estimate is off by a few; the rest, worked out exactly, says by how many.
  local quotient = math.floor((a * b + plus) / c)
  local high1, low1 = product(a, b)
  local high2, low2 = product(quotient, c)
  local rest = (high1 - high2) * (LIMB * LIMB) + (low1 - low2) + plus
  local off = math.floor(rest / c)
  quotient, rest = quotient + off, rest - off * c
  return quotient, rest
end

function Exact.mulDivRest(a, b, c)
  return divided(a, b, 0, c)
end

function Exact.mulDivDown(a, b, c)
  return (divided(a, b, 0, c))
end

function Exact.mulDivUp(a, b, c)
  return Exact.mulAddDivUp(a, b, 0, c)
end

function Exact.mulAddDivUp(a, b, plus, c)
  local quotient, rest = divided(a, b, plus, c)
  if rest > 0 then quotient = quotient + 1 end
  return math.min(quotient, MAX)
end

function Exact.saturatedSum(a, b)
  return math.min(a + b, MAX)
end
