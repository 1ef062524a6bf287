-- ARGV: how many. The accounts get their money first, as schema.sql does it: spend.lua's HINCRBY begins at 0.
for n = 0, ARGV[1] - 1 do redis.call('HSET', 'bal', string.format('%012d', n), '1000000000000') end
return tonumber(ARGV[1])
