import { z } from 'zod';
import { seqSchema, sessionIdSchema, timestampSchema } from './primitives.ts';
import { sessionIdParamSchema } from './rest.ts';

/**
 * The steps of an event from the commit to whoever read it. `stored`, `read` and `acked` come from the database and
 * last; the others from the memory of the processes, which keep the last 20,000 steps each.
 */
export const HOP_KINDS = ['stored', 'relayed', 'dispatched', 'published', 'written', 'acked', 'read'] as const;

export const hopSchema = z.object({
  hop: z.enum(HOP_KINDS),
  at: timestampSchema,
  /** Which process, or `database`. */
  where: z.string(),
  /** Of `written`: by which path the event came to the socket. */
  path: z.enum(['live', 'catchup', 'resume']).optional(),
  /** For `written`: the receiver. For `acked` and `read`: the person. */
  to: z.string().optional(),
  /** Of `written`: how many sockets took it at this moment. */
  sockets: z.int().min(1).optional(),
  /** Their ids, at most 20. */
  connections: z.array(z.string()).max(20).optional(),
  /** Of `acked` and `read`: the mark has moved on since, so it happened at this time or before. */
  or_before: z.boolean().optional(),
});
export type Hop = z.infer<typeof hopSchema>;

export const traceResponseSchema = z.object({
  session_id: sessionIdSchema,
  seq: seqSchema,
  type: z.string(),
  /** In the order in which they happened. */
  hops: z.array(hopSchema),
  /** Processes that did not answer: what they did is not in `hops`. */
  silent: z.array(z.string()),
});
export type TraceResponse = z.infer<typeof traceResponseSchema>;

/** Which event: by its number, or by the id of the message that it is. */
export const traceQuerySchema = z
  .object({ seq: sessionIdParamSchema.optional(), message_id: sessionIdParamSchema.optional() })
  .refine(({ seq, message_id }) => (seq === undefined) !== (message_id === undefined), {
    message: 'needs either seq or message_id',
    path: ['seq'],
  });

export const hopsQuerySchema = z.object({ session_id: sessionIdParamSchema, seq: sessionIdParamSchema });
export const hopsResponseSchema = z.object({ where: z.string(), hops: z.array(hopSchema) });
