import type { AcksRequest, CatchupRequest, CatchupResponse } from '@chat-realtime/protocol';
import { z } from 'zod';
import type { ChatSource } from './hub/ports.ts';

const TIMEOUT_MS = 5_000;

/** Events are passed on as they came, so unknown fields and types must survive: only what the gateway itself reads is checked. */
const eventSchema = z.looseObject({
  type: z.string(),
  session_id: z.int().nullable(),
  seq: z.int().nullable(),
  data: z.looseObject({}),
});
const responseSchema = z.looseObject({
  sessions: z.array(
    z.looseObject({ id: z.int(), last_seq: z.int().min(0), events: z.array(eventSchema), has_more: z.boolean() }),
  ),
  epoch: z.string().optional(),
  feed: z.looseObject({ events: z.array(eventSchema), cursor: z.string(), has_more: z.boolean() }).optional(),
  bases: z.array(z.looseObject({ id: z.int(), seq: z.int().min(0) })).optional(),
  revocations: z.array(z.looseObject({ id: z.int(), subject: z.string(), not_after: z.int() })).optional(),
});

function isCatchupResponse(value: unknown): value is CatchupResponse {
  return responseSchema.safeParse(value).success;
}

export interface HttpSourceOptions {
  readonly catchupUrl: string;
  readonly acksUrl: string;
  readonly apiKey: string;
}

/** chat-service over its internal calls. Fails fast: the caller decides when to try again. */
export function createHttpSource({ catchupUrl, acksUrl, apiKey }: HttpSourceOptions): ChatSource {
  const post = async (url: string, body: object): Promise<Response> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    });
    if (response.ok) return response;
    await response.body?.cancel();
    throw new Error(`${new URL(url).pathname} answered ${response.status}`);
  };
  return {
    async catchup(request: CatchupRequest): Promise<CatchupResponse> {
      const answer: unknown = await (await post(catchupUrl, request)).json();
      if (!isCatchupResponse(answer)) throw new Error('the catch-up answer does not have the agreed form');
      return answer;
    },
    async acks(request: AcksRequest): Promise<void> {
      const response = await post(acksUrl, request);
      await response.body?.cancel();
    },
  };
}
