import { z } from 'zod';
import { banSchema } from './bans.ts';
import { consentProofSchema } from './consent.ts';
import { callbackStaffSchema, messageSchema, noteSchema } from './events.ts';
import { timestampSchema } from './primitives.ts';
import { sessionResponseSchema, staffSessionSchema } from './rest.ts';

/** This chat, or all chats of the customer who is signed in in it. */
export const personScopeSchema = z.enum(['session', 'customer']);

export const exportQuerySchema = z.object({
  /** `zip`: the documents with the files; `json`: the document alone, with their signed addresses, for 24 h. */
  format: z.enum(['json', 'zip']).default('json'),
  scope: personScopeSchema.default('session'),
});
export type ExportQuery = z.infer<typeof exportQuerySchema>;

export const eraseRequestSchema = z.object({ scope: personScopeSchema.optional() });
export type EraseRequest = z.infer<typeof eraseRequestSchema>;

export const eraseResponseSchema = sessionResponseSchema.extend({
  /** How many chats were emptied. */
  erased_sessions: z.int().min(1),
});

export type EraseResponse = z.infer<typeof eraseResponseSchema>;

/** Everything about a chat and its customer. */
export const sessionExportSchema = z.object({
  exported_at: timestampSchema,
  session: staffSessionSchema,
  consent: consentProofSchema.nullable(),
  /** The address from which the chat was last written, while it is stored. */
  address: z.object({ address: z.string(), seen_at: timestampSchema.nullable() }).nullable(),
  /** Their account, if the chat continues there too. */
  telegram: z
    .object({ telegram_user_id: z.int(), linked_at: timestampSchema, blocked_at: timestampSchema.nullable() })
    .nullable(),
  /** Devices that are notified of answers. */
  devices: z.array(
    z.object({
      endpoint: z.string(),
      device: z.string().nullable(),
      locale: z.string().nullable(),
      created_at: timestampSchema,
    }),
  ),
  /** Mails that were sent to them, or will be. */
  mails: z.array(
    z.object({
      kind: z.string(),
      address: z.string(),
      created_at: timestampSchema,
      sent_at: timestampSchema.nullable(),
    }),
  ),
  /** How far they got, and read. */
  read: z.object({ delivered_id: z.int().min(0), read_id: z.int().min(0), at: timestampSchema }).nullable(),
  /** Of this chat, and of the customer who is signed in in it. */
  bans: z.array(banSchema),
  alerts: z.array(z.object({ reason: z.string(), created_at: timestampSchema })),
  callbacks: z.array(callbackStaffSchema.extend({ consent: consentProofSchema.nullable() })),
  messages: z.array(messageSchema),
  /** The newest first. */
  notes: z.array(noteSchema),
});
export type SessionExport = z.infer<typeof sessionExportSchema>;

export const customerExportSchema = z.object({
  exported_at: timestampSchema,
  customer_id: z.string(),
  sessions: z.array(sessionExportSchema),
});
/** Answer of `GET /chat/session/:id/export`, by `scope`. */
export const sessionOrCustomerExportSchema = z.union([sessionExportSchema, customerExportSchema]);
