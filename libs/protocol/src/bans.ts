import { z } from 'zod';
import { safeText, sessionIdSchema, timestampSchema } from './primitives.ts';

/** The target of a ban: this chat, the customer signed in to it, or the address it was last written from. */
export const banKindSchema = z.enum(['session', 'customer', 'address']);
export type BanKind = z.infer<typeof banKindSchema>;

/** A ban of an address ends after this time unless another end is named. */
export const ADDRESS_BAN_HOURS = 24;
/** Maximum number of bans in effect. */
export const BANS_MAX = 10_000;

export const newBanSchema = z.object({
  session_id: sessionIdSchema,
  by: banKindSchema,
  reason: safeText(500).nullish(),
  /** When it ends; in the future. */
  until: timestampSchema.nullish(),
});
export type NewBan = z.infer<typeof newBanSchema>;

export const banSchema = z.object({
  id: z.int().min(1),
  by: banKindSchema,
  /** The chat that gave the cause. */
  session_id: sessionIdSchema,
  customer_id: z.string().nullable(),
  /** An IPv4 address, or the /64 of an IPv6 address. */
  address: z.string().nullable(),
  reason: z.string().nullable(),
  /** Null: until somebody lifts it. */
  until: timestampSchema.nullable(),
  created_at: timestampSchema,
  created_by: z.string(),
  created_by_name: z.string().nullable(),
});
export type Ban = z.infer<typeof banSchema>;

export const banResponseSchema = z.object({
  ban: banSchema,
  /** By address: how many other chats were written from there in the last 24 hours. */
  other_sessions: z.int().min(0).optional(),
});
export type BanResponse = z.infer<typeof banResponseSchema>;
/** The bans in effect, the newest first. */
export const bansResponseSchema = z.object({ bans: z.array(banSchema), next_page: z.string().nullable() });
export type BansResponse = z.infer<typeof bansResponseSchema>;
