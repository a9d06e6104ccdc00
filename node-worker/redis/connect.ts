import { Redis } from 'ioredis';

const maxDelayMs = 2000;

/**
 * A connection that waits for Redis as long as it takes: commands given meanwhile are sent when it is back, and those whose answer was lost
 * are sent again, so every command must bear repetition.
 *
 * @param onTrouble Told of each loss, for the log.
 */
export function connectRedis(url: string, name: string, onTrouble: (message: string) => void): Redis {
  const redis = new Redis(url, {
    connectionName: name,
    // In version 3 the answers of streams are maps, which come flattened.
    protocol: 2,
    maxRetriesPerRequest: null,
    retryStrategy: (times) => Math.min(50 * times, maxDelayMs),
  });
  let lastTrouble = '';
  redis.on('error', (error: Error) => {
    // Repeated while Redis is away; once is enough to know.
    if (error.message !== lastTrouble) onTrouble(`Redis: ${error.message}`);
    lastTrouble = error.message;
  });
  redis.on('ready', () => {
    if (lastTrouble !== '') onTrouble('Redis: connected again');
    lastTrouble = '';
  });
  return redis;
}
