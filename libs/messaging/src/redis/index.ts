/** The adapters over Redis, as an entry of their own: without Redis its driver is not loaded. */
export { connectRedisFanout, type RedisFanoutOptions } from './fanout.ts';
export { createRedisLastSeen, type RedisLastSeenOptions } from './last-seen.ts';
export { createRedisLeases, type RedisLeasesOptions } from './leases.ts';
export { connectRedisStream, type RedisStreamOptions, type RedisStreamReader, type StreamEntry } from './stream.ts';
export { REDIS_USERS, redisUrlAs, type RedisUser, redisUsersFile, RedisUsersError } from './users.ts';
