/**
 * What must happen as one step in Redis. Each may be repeated without harm, because a command whose answer was lost is sent again.
 */

/**
 * Keeps an attempt and queues its candidates, unless it is kept already. Answers 1, or 0 for a repeat.
 * Keys: task, stream. Arguments: attempt key, assignment, candidates, milliseconds to keep it.
 */
export const enqueueScript = `
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'assignment', ARGV[2], 'total', ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
for index = 0, tonumber(ARGV[3]) - 1 do
  redis.call('XADD', KEYS[2], '*', 'attempt', ARGV[1], 'index', index)
end
return 1
`;

/**
 * Keeps one candidate's answer; the first one counts. With the last of them the attempt goes into the outbox, once.
 * Answers how many are answered, or -1 when the attempt is no longer wanted.
 * Keys: task, stream, values, fractions, outbox. Arguments: attempt key, group, entry, index, answer.
 */
export const answerScript = `
redis.call('XACK', KEYS[2], ARGV[2], ARGV[3])
redis.call('XDEL', KEYS[2], ARGV[3])
local keepMs = redis.call('PTTL', KEYS[1])
if keepMs == -2 then return -1 end
redis.call('HSETNX', KEYS[3], ARGV[4], ARGV[5])
redis.call('PEXPIRE', KEYS[3], keepMs)
redis.call('HDEL', KEYS[4], ARGV[4])
local answered = redis.call('HLEN', KEYS[3])
local total = tonumber(redis.call('HGET', KEYS[1], 'total'))
if answered == total and redis.call('HSETNX', KEYS[1], 'done', 1) == 1 then
  redis.call('XADD', KEYS[5], '*', 'attempt', ARGV[1])
end
return answered
`;

/**
 * A running evaluation says that its process lives, and how far it has come.
 * Answers whether it is still wanted ('wanted', 'dropped', or 'answered' by somebody else), how many are answered, and the sum of the
 * others' fractions.
 * Keys: task, stream, values, fractions. Arguments: group, consumer, entry, index, fraction.
 */
export const renewScript = `
local keepMs = redis.call('PTTL', KEYS[1])
if keepMs == -2 then return {'dropped', 0, '0'} end
if redis.call('HEXISTS', KEYS[3], ARGV[4]) == 1 then return {'answered', 0, '0'} end
local pending = redis.call('XPENDING', KEYS[2], ARGV[1], ARGV[3], ARGV[3], 1)
if #pending == 1 and pending[1][2] == ARGV[2] then
  redis.call('XCLAIM', KEYS[2], ARGV[1], ARGV[2], 0, ARGV[3], 'JUSTID')
end
redis.call('HSET', KEYS[4], ARGV[4], ARGV[5])
redis.call('PEXPIRE', KEYS[4], keepMs)
local sum = 0
for _, fraction in ipairs(redis.call('HVALS', KEYS[4])) do sum = sum + tonumber(fraction) end
return {'wanted', redis.call('HLEN', KEYS[3]), tostring(sum)}
`;

/**
 * Removes a consumer that has nothing pending: whoever removes one with pending entries loses them.
 * Keys: stream. Arguments: group, consumer.
 */
export const removeConsumerScript = `
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
if #pending == 0 then redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2]) end
return #pending
`;
