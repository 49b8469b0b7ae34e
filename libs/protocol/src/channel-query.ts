import { z } from 'zod';
import { feedCursorSchema } from './primitives.ts';

export const POLL_WAIT_MAX_SECONDS = 30;
/** The id of the connection that this one replaces; of a longer value only the beginning counts. */
export const REPLACES_MAX = 64;

/** A whole number written in digits only, so that `1e3`, ` 1` and `0x1` are refused. */
function digits(min: number, max: number) {
  return z
    .string()
    .regex(min > 0 ? /^[1-9]\d{0,15}$/ : /^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.int().min(min).max(max))
    .meta({ wire: { type: 'integer', minimum: min, maximum: max } });
}

const sessionParameter = digits(1, Number.MAX_SAFE_INTEGER);
const cursorParameter = digits(0, Number.MAX_SAFE_INTEGER);

/** Query of WebSocket and SSE. Everything is optional here: what is missing or unreadable has its own answer, not 422. */
export const connectQuerySchema = z.object({
  session: sessionParameter.optional(),
  token: z.string().max(256).optional(),
  last_seq: cursorParameter.optional(),
  type: z.literal('staff').optional(),
  access_token: z.string().max(16_384).optional(),
  cursor: feedCursorSchema.optional(),
  replaces: z.string().max(REPLACES_MAX).optional(),
});

export const pollQuerySchema = connectQuerySchema.extend({
  wait: digits(0, POLL_WAIT_MAX_SECONDS).default(0),
});
export type PollQuery = z.infer<typeof pollQuerySchema>;

export const ackQuerySchema = connectQuerySchema.pick({ session: true, token: true, type: true, access_token: true });
export const shadowQuerySchema = connectQuerySchema.pick({ session: true, token: true });

export const streamQuerySchema = z.object({ sig: z.string().max(256), last_seq: cursorParameter.optional() });
export const attachmentQuerySchema = z.object({ sig: z.string().max(256) });

/** Public keys of auth-service. */
export const jwksSchema = z.object({
  keys: z.array(z.looseObject({ kty: z.string(), kid: z.string(), alg: z.string(), use: z.literal('sig') })),
});
