export type * from './ports/event-queue.ts';
export type * from './ports/fanout.ts';
export type * from './ports/leases.ts';
export type * from './ports/last-seen.ts';
export type * from './ports/site-source.ts';
export type { MessagingLogger } from './logger.ts';
export { RefusedError, UnavailableError, UnconfirmedError } from './errors.ts';
export { Backoff } from './backoff.ts';
export { createMemoryBroker, type MemoryBroker } from './memory/broker.ts';
export { createMemoryFanout } from './memory/fanout.ts';
export { createMemoryLeases } from './memory/leases.ts';
export { createMemoryLastSeen } from './memory/last-seen.ts';
export { connectRedisFanout, type RedisFanoutOptions } from './redis/fanout.ts';
export { createRedisLastSeen, type RedisLastSeenOptions } from './redis/last-seen.ts';
export {
  connectRedisStream,
  type RedisStreamOptions,
  type RedisStreamReader,
  type StreamEntry,
} from './redis/stream.ts';
export { createRedisLeases, type RedisLeasesOptions } from './redis/leases.ts';
export { BAD_MESSAGES } from './rabbitmq/decode.ts';
export { connectRabbitConsumer } from './rabbitmq/consumer.ts';
export { connectRabbitPublisher, type RabbitOptions } from './rabbitmq/publisher.ts';
export {
  type DeadLetter,
  type DeadLetterBox,
  type LetterAction,
  NoDeadLetterQueueError,
  purgeEventQueue,
  walkDeadLetters,
} from './rabbitmq/dead-letters.ts';
export { REDIS_USERS, redisUrlAs, type RedisUser, redisUsersFile, RedisUsersError } from './redis/users.ts';
export {
  connectSiteSource,
  SITE_DEAD_LETTERS,
  SITE_QUEUE,
  type SiteAddress,
  type SiteSourceOptions,
} from './rabbitmq/site-source.ts';
export {
  removeSiteQueues,
  type SiteLeftover,
  siteLeftovers,
  SiteQueuesInUseError,
} from './rabbitmq/site-removal.ts';
