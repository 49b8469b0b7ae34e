import { Readable } from 'node:stream';
import {
  type Attachment,
  attachmentSchema,
  ChatError,
  ERROR_CODES,
  type ErrorCode,
  errorResponseSchema,
  feedSeqOf,
  catchupResponseSchema,
  telegramActResponseSchema,
  telegramRedeemResponseSchema,
  telegramWriteResponseSchema,
} from '@chat-realtime/protocol';
import type { z } from 'zod';
import {
  type BroughtFile,
  type ChatService,
  FEED_LIMIT,
  type FeedPage,
  type FeedSource,
  type FileOwner,
} from '../ports.ts';

const TIMEOUT_MS = 10_000;
const FILE_TIMEOUT_MS = 120_000;

export interface HttpChatServiceOptions {
  readonly url: string;
  readonly apiKey: string;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

/** Of whatever stands in front of chat-service while that is away. */
const AWAY: ReadonlySet<number> = new Set([502, 503, 504]);

/** chat-service answered with a refusal, or could not be asked: the latter is `unavailable`, as when it says so itself. */
async function refusal(response: Response): Promise<ChatError> {
  const body = errorResponseSchema.safeParse(await response.json().catch(() => undefined));
  const unnamed = AWAY.has(response.status) ? 'unavailable' : 'internal_error';
  const code = body.success && isErrorCode(body.data.error.code) ? body.data.error.code : unnamed;
  const retryAfter = Number(response.headers.get('retry-after'));
  return new ChatError(code, body.success ? body.data.error.message : `status ${response.status}`, {
    ...(retryAfter > 0 ? { retryAfterSeconds: retryAfter } : {}),
    ...(body.success && body.data.error.details !== undefined ? { details: body.data.error.details } : {}),
  });
}

/** chat-service over its internal calls. */
export function createHttpChatService({ url, apiKey }: HttpChatServiceOptions): ChatService & FeedSource {
  const authorization = `Bearer ${apiKey}`;

  const call = async (path: string, init: RequestInit): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(new URL(path, url), { redirect: 'error', ...init });
    } catch (error) {
      throw new ChatError('unavailable', 'chat-service does not answer', { cause: error });
    }
    if (!response.ok) throw await refusal(response);
    return response;
  };
  const post = (path: string, body: object): Promise<Response> =>
    call(path, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  const ask = async <T>(path: string, body: object, schema: z.ZodType<T>): Promise<T> =>
    schema.parse(await (await post(path, body)).json());
  const send = async (path: string, body: object): Promise<void> => {
    await (await post(path, body)).body?.cancel();
  };

  return {
    introduce: (bot) => send('/internal/telegram/bot', bot),
    redeem: (request) => ask('/internal/telegram/redeem', request, telegramRedeemResponseSchema),
    act: (request) => ask('/internal/telegram/act', request, telegramActResponseSchema),
    write: (action) => ask('/internal/telegram/write', action, telegramWriteResponseSchema),
    blocked: (request) => send('/internal/telegram/blocked', request),
    upload: async (owner: FileOwner, file: BroughtFile): Promise<Attachment> => {
      const response = await call(`/internal/telegram/upload?${ownerQuery(owner).toString()}`, {
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/octet-stream',
          'x-file-name': encodeURIComponent(file.name),
          ...(file.declaredBytes === undefined ? {} : { 'content-length': String(file.declaredBytes) }),
        },
        body: Readable.toWeb(file.content),
        duplex: 'half',
        signal: AbortSignal.timeout(FILE_TIMEOUT_MS),
      } as RequestInit);
      return attachmentSchema.parse(await response.json());
    },
    openFile: async (address) => {
      try {
        const response = await call(address, { signal: AbortSignal.timeout(FILE_TIMEOUT_MS) });
        return response.body === null ? null : Readable.fromWeb(response.body as never);
      } catch (error) {
        if (error instanceof ChatError && error.status < 500) return null;
        throw error;
      }
    },
    feed: async (after) => {
      const answer = await ask(
        '/internal/catchup',
        {
          sessions: [],
          limit: 1,
          feed: { limit: FEED_LIMIT, ...(after === undefined ? {} : { after: String(after) }) },
        },
        catchupResponseSchema,
      );
      return feedPage(answer.feed);
    },
    acks: (acks) => send('/internal/acks', { acks }),
  };
}

/** The part of a catch-up answer that is the feed. */
export function feedPage(feed: NonNullable<z.infer<typeof catchupResponseSchema>['feed']> | undefined): FeedPage {
  const cursor = feed === undefined ? undefined : feedSeqOf(feed.cursor);
  if (feed === undefined || cursor === undefined) throw new Error('chat-service answered no feed');
  return { events: feed.events, cursor, hasMore: feed.has_more, reset: feed.reset !== undefined };
}

function ownerQuery(owner: FileOwner): URLSearchParams {
  if (owner.kind === 'operator')
    return new URLSearchParams({
      telegram_user_id: String(owner.telegramUserId),
      session_id: String(owner.sessionId),
    });
  const { id, name, locale } = owner.user;
  return new URLSearchParams({
    telegram_user_id: String(id),
    client_message_id: owner.clientMessageId,
    ...(name === null ? {} : { name }),
    ...(locale === null ? {} : { locale }),
  });
}
