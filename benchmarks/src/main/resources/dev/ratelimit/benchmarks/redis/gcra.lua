-- A plain GCRA, as many write it: one key with the theoretical arrival time in microseconds, by the server's clock.
--   KEYS[1]  the bucket
--   ARGV     microseconds for a permit; microseconds of burst
local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local tat = tonumber(redis.call('GET', KEYS[1])) or now
if tat < now then tat = now end
local next = tat + interval
local wait = next - burst - now
if wait > 0 then return { 0, 0, math.ceil(wait) } end
redis.call('SET', KEYS[1], next, 'PX', math.ceil((next - now) / 1000))
return { 1, math.floor(-wait / interval), 0 }
