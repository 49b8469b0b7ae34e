import { createHash } from 'node:crypto';
import {
  type AcksRequest,
  type CatchupRequest,
  type CatchupResponse,
  catchupResponseSchema,
  catchupSessionSchema,
  type ChatSource,
  revocationSchema,
} from '@chat-realtime/protocol';
import { z } from 'zod';
import { Circuit } from './circuit.ts';

const TIMEOUT_MS = 5_000;
/** Twice the limit of our own answers. */
const ANSWER_MAX_BYTES = 16 * 1024 * 1024;

/**
 * Events are passed on as they came, so unknown fields and types must survive. The protocol's own schemas check the
 * rest, which decides who is shown what, and from where on. A kind of revocation may be newer than this gateway.
 */
const eventSchema = z.looseObject({
  type: z.string(),
  session_id: z.int().nullable(),
  seq: z.int().nullable(),
  data: z.looseObject({}),
});
const events = z.array(eventSchema);
const responseSchema = catchupResponseSchema
  .pick({ epoch: true, settings: true })
  .extend({
    sessions: z.array(
      catchupSessionSchema.pick({ id: true, last_seq: true, has_more: true }).extend({ events }).loose(),
    ),
    feed: catchupResponseSchema.shape.feed.unwrap().extend({ events }).loose().optional(),
    revocations: z.array(revocationSchema.omit({ kind: true }).loose()).optional(),
  })
  .loose();

function isCatchupResponse(value: unknown): value is CatchupResponse {
  return responseSchema.safeParse(value).success;
}

export interface HttpSourceOptions {
  readonly catchupUrl: string;
  readonly acksUrl: string;
  readonly apiKey: string;
  /** A call failed so often that it is paused, or it is made again. */
  readonly circuitChanged?: (call: 'catchup' | 'acks', open: boolean) => void;
}

/** Text of an answer; an endless one is cut off with its connection. */
async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let bytes = 0;
  const chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = response.body ?? [];
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > ANSWER_MAX_BYTES) throw new Error(`the answer has more than ${ANSWER_MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * chat-service over its internal calls, ours or a site's own. Fails fast: the caller decides when to retry. Each call
 * has its own circuit, so that a site's slow acks delay no message.
 */
export function createHttpSource({ catchupUrl, acksUrl, apiKey, circuitChanged }: HttpSourceOptions): ChatSource {
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
  const circuits = {
    catchup: new Circuit(new URL(catchupUrl).pathname, (open) => circuitChanged?.('catchup', open)),
    acks: new Circuit(new URL(acksUrl).pathname, (open) => circuitChanged?.('acks', open)),
  };
  // A source that reports no database still has one: its address stands for it.
  const epoch = createHash('sha256').update(catchupUrl).digest('hex').slice(0, 32);
  return {
    catchup: (request: CatchupRequest): Promise<CatchupResponse> =>
      circuits.catchup.run(async () => {
        const answer: unknown = JSON.parse(await readText(await post(catchupUrl, request)));
        if (!isCatchupResponse(answer)) throw new Error('the catch-up answer does not have the agreed form');
        return answer.epoch === undefined ? { ...answer, epoch } : answer;
      }),
    acks: (request: AcksRequest): Promise<void> =>
      circuits.acks.run(async () => {
        const response = await post(acksUrl, request);
        await response.body?.cancel();
      }),
  };
}
