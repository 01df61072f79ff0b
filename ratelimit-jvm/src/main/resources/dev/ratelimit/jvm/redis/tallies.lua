-- Tells a group of numbers, KEYS[1], as its fields and their values; see tally.lua. An answer of one text names what is wrong.
local fields = redis.pcall('HGETALL', KEYS[1])
if fields.err then
  if string.find(fields.err, 'WRONGTYPE', 1, true) then return { 'damaged' } end
  error(fields.err)
end
return fields
