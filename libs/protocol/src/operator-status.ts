import { z } from 'zod';
import { requiredText, sessionIdSchema, timestampSchema } from './primitives.ts';

/** An operator's chosen status; it overrides their connections. */
export const operatorStatusSchema = z.enum(['online', 'away', 'off']);
export type OperatorStatus = z.infer<typeof operatorStatusSchema>;

export const operatorStatusRequestSchema = z.object({ status: operatorStatusSchema });
export const operatorStatusResponseSchema = z.object({
  status: operatorStatusSchema,
  /** When they chose it; null if they never chose. */
  since: timestampSchema.nullable(),
});
export type OperatorStatusResponse = z.infer<typeof operatorStatusResponseSchema>;

/** A choice as the services exchange it; of two by one operator the one with the larger version counts. */
export const chosenStatusSchema = z.object({
  user_id: z.string(),
  status: operatorStatusSchema,
  version: z.int().min(1),
});
export type ChosenStatus = z.infer<typeof chosenStatusSchema>;

export const handoverRequestSchema = z.object({
  /** Whose sessions go; absent: the caller's own. Another's are for administrators. */
  from_user_id: requiredText(200).optional(),
  /** Null: back to the queue. */
  to_user_id: requiredText(200).nullable(),
});
/** The sessions that changed hands. */
export const handoverResponseSchema = z.object({ sessions: z.array(sessionIdSchema) });
export type HandoverResponse = z.infer<typeof handoverResponseSchema>;
