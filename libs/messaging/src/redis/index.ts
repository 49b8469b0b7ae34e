/** The adapters over Redis. An entry of their own: whoever has no Redis does not load its driver. */
export { connectRedisFanout, type RedisFanoutOptions } from './fanout.ts';
export { createRedisLastSeen, type RedisLastSeenOptions } from './last-seen.ts';
export { createRedisLeases, type RedisLeasesOptions } from './leases.ts';
export { connectRedisStream, type RedisStreamOptions, type RedisStreamReader, type StreamEntry } from './stream.ts';
export { REDIS_USERS, redisUrlAs, type RedisUser, redisUsersFile, RedisUsersError } from './users.ts';
