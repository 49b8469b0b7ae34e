import {
  envInteger,
  envInternalApiKey,
  envQueueCount,
  envUrl,
  httpVariables,
  redisVariables,
} from '@chat-realtime/service-kit';
import { z } from 'zod';

/** The dispatcher as a separate process. */
export const dispatcherEnvironment = z.object({
  ...httpVariables(8104),
  RABBITMQ_URL: envUrl(['amqp:', 'amqps:']),
  RABBITMQ_QUEUES: envQueueCount(),
  ...redisVariables,
  /** Opens what this process remembers of the way of an event; without it nobody may ask. */
  INTERNAL_API_KEY: envInternalApiKey().optional(),
  LAST_SEEN_TTL_SECONDS: envInteger(86_400, { min: 60 }),
});
export type DispatcherEnvironment = z.infer<typeof dispatcherEnvironment>;
