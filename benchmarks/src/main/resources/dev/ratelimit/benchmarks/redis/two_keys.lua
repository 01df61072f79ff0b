-- A token bucket in two keys, by the client's clock in seconds: what Spring Cloud Gateway's limiter does.
--   KEYS  tokens; instant of the last refill
--   ARGV  tokens a second; capacity; now in seconds; tokens asked for
local rate, capacity, now, asked = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local ttl = math.max(math.floor(capacity / rate * 2), 1)
local tokens = tonumber(redis.call('GET', KEYS[1])) or capacity
local last = tonumber(redis.call('GET', KEYS[2])) or 0
local filled = math.min(capacity, tokens + math.max(0, now - last) * rate)
local allowed = 0
if filled >= asked then
  filled = filled - asked
  allowed = 1
end
redis.call('SETEX', KEYS[1], ttl, filled)
redis.call('SETEX', KEYS[2], ttl, now)
return { allowed, filled }
