import { z } from 'zod';
import { safeText, timestampSchema } from './primitives.ts';
import { limitQuerySchema } from './rest.ts';

/** One change that somebody made. `details` never holds a message, a contact or a secret. */
export const auditEntrySchema = z.object({
  id: z.int().min(1),
  at: timestampSchema,
  actor_id: z.string(),
  actor_name: z.string().nullable(),
  /** Such as `ban.created`; new ones may come. */
  action: z.string(),
  /** The subject of the change, such as `session:123` or `operator:7`. */
  subject: z.string().nullable(),
  details: z.record(z.string(), z.unknown()),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export const auditQuerySchema = z.object({ limit: limitQuerySchema, page: safeText(200).optional() });
/** The newest first. */
export const auditResponseSchema = z.object({ entries: z.array(auditEntrySchema), next_page: z.string().nullable() });
export type AuditResponse = z.infer<typeof auditResponseSchema>;
