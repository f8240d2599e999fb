-- Takes requests from a client's quota, for one replica to admit.
-- KEYS[1]  where the client's TAT is kept, in microseconds of the server's clock
-- ARGV     interval and span of the policy, requests wanted, how far ahead of now the caller knows the TAT to be
-- Answers  how many were granted, and how far ahead of now the TAT is then
local interval, span, wanted, known = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local kept = tonumber(redis.call('GET', KEYS[1])) or 0
-- Not before now; not before what the caller knows, if this server lost its memory; and never further ahead
-- than the quota, if its clock was set back.
local ahead = math.min(span, math.max(0, kept - now, known))
local granted = math.min(wanted, math.floor((span - ahead) / interval))
ahead = ahead + granted * interval
if ahead > 0 then
  redis.call('SET', KEYS[1], now + ahead, 'PX', math.ceil(ahead / 1000))
end
return { granted, ahead }
