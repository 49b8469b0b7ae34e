import { z } from 'zod';

const SHADOW_MESSAGES_MAX = 500;
const SHADOW_AHEAD_MAX_MS = 600_000;

/**
 * What a page received on both ways since its last report: message by message, and how much earlier the channel was.
 */
export const shadowReportSchema = z.object({
  both: z.int().min(0).max(SHADOW_MESSAGES_MAX),
  channel_only: z.int().min(0).max(SHADOW_MESSAGES_MAX),
  polling_only: z.int().min(0).max(SHADOW_MESSAGES_MAX),
  /** Of those on both ways, in milliseconds; negative where polling was first. */
  ahead_ms: z.array(z.number().min(-SHADOW_AHEAD_MAX_MS).max(SHADOW_AHEAD_MAX_MS)).max(SHADOW_MESSAGES_MAX),
});
export type ShadowReport = z.infer<typeof shadowReportSchema>;
