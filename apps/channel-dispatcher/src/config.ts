import { envInteger, envUrl, httpVariables } from '@chat-realtime/service-kit';
import { z } from 'zod';

/** The dispatcher as a process of its own. */
export const dispatcherEnvironment = z.object({
  ...httpVariables(8104),
  RABBITMQ_URL: envUrl(['amqp:', 'amqps:']),
  REDIS_URL: envUrl(['redis:', 'rediss:']),
  REDIS_KEY_PREFIX: z.string().max(64).default(''),
  LAST_SEEN_TTL_SECONDS: envInteger(86_400, { min: 60 }),
});
export type DispatcherEnvironment = z.infer<typeof dispatcherEnvironment>;
