import { envInteger, envUrl, LOG_LEVELS } from '@chat-realtime/service-kit';
import { z } from 'zod';

export const probeEnvironment = z.object({
  /** Where visitors reach the chat. */
  PROBE_URL: envUrl(),
  PROBE_LOGIN: z.string().min(1).default('probe'),
  PROBE_PASSWORD: z.string().min(1),
  PROBE_EVERY_SECONDS: envInteger(10, { min: 2, max: 600 }),
  /** What is not there by then counts as lost. */
  PROBE_LOST_SECONDS: envInteger(15, { min: 1, max: 120 }),
  HOST: z.string().default('127.0.0.1'),
  /** Of its metrics. */
  PORT: envInteger(8106, { min: 0, max: 65_535 }),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
});
export type ProbeConfig = z.infer<typeof probeEnvironment>;
