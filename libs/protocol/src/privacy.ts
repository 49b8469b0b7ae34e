import { z } from 'zod';
import { messageSchema, callbackStaffSchema, noteSchema } from './events.ts';
import { timestampSchema } from './primitives.ts';
import { consentSchema, staffSessionSchema } from './rest.ts';

/** Everything about a chat and its customer. The files lie behind the signed addresses of their messages, for 24 h. */
export const sessionExportSchema = z.object({
  exported_at: timestampSchema,
  session: staffSessionSchema,
  /** What the customer agreed to, and when. */
  consent: z.object({ given: consentSchema, at: timestampSchema }).nullable(),
  /** Where the chat was written from last, as long as that is known. */
  address: z.object({ address: z.string(), seen_at: timestampSchema.nullable() }).nullable(),
  callbacks: z.array(callbackStaffSchema),
  messages: z.array(messageSchema),
  /** The newest first. */
  notes: z.array(noteSchema),
});
export type SessionExport = z.infer<typeof sessionExportSchema>;
