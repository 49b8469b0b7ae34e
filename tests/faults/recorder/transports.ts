import {
  type Frame,
  frameFrom,
  type HttpAnswer,
  HttpClient,
  query,
  SseClient,
  UpgradeRefused,
  WebSocketClient,
} from '@chat-realtime/testkit';
import { pollResponseSchema } from '@chat-realtime/protocol';
import { z } from 'zod';
import { pathOf, type Watch } from './watch.ts';

/** How a connection ended and what the client does next. */
export type End =
  /** Lost or refused for the moment: back-off, then again. */
  | { readonly kind: 'retry'; readonly why: string }
  /** The server, or the EventSource rules, said when. */
  | { readonly kind: 'retry_after'; readonly ms: number; readonly why: string }
  /** Too many connections: plain reads meanwhile, the transport again once a minute. */
  | { readonly kind: 'limited'; readonly why: string }
  /** The contract says: do not come back. No fault may lead here. */
  | { readonly kind: 'terminal'; readonly why: string };

export interface Attendance {
  readonly baseUrl: string;
  readonly watch: Watch;
  readonly via: string;
  readonly signal: AbortSignal;
  /** Freed on reconnecting: the connection_id of the last channel.ready. */
  replaces: string | undefined;
  /** `channel.ready`, or the first answer of a poll. */
  ready(): void;
}

const rawPage = z.object({ events: z.array(z.unknown()) });
const WAIT_SECONDS = 25;
const READY_MS = 10_000;
/** The limit of tabs is the one refusal of 4500 and above that passes by itself. */
const CONNECTION_LIMIT = 4529;
const STOP = new Set([1000, 1002, 1003, 1007, 1008, 1009]);

function endOf(code: number, why: string): End {
  if (code === CONNECTION_LIMIT) return { kind: 'limited', why };
  if (code === 1012) return { kind: 'retry_after', ms: 0, why };
  if (STOP.has(code) || (code >= 4500 && code <= 4999)) return { kind: 'terminal', why };
  return { kind: 'retry', why };
}

function handle(frame: Frame, attendance: Attendance): void {
  if (frame.type === 'channel.ready') {
    const { connection_id: id } = frame.data;
    if (typeof id === 'string') attendance.replaces = id;
    attendance.ready();
  } else if (frame.type === 'channel.reset') attendance.watch.reset(frame);
  else attendance.watch.take(frame, attendance.via);
}

interface Streaming {
  readonly frames: readonly Frame[];
  readonly log: { onFrame(listener: (frame: Frame) => void): void };
}

/** Hands on every frame, and kills a connection that does not become ready in time. */
function follow(client: Streaming, attendance: Attendance, kill: () => void): () => void {
  const late = setTimeout(kill, READY_MS);
  const take = (frame: Frame): void => {
    if (attendance.signal.aborted) return;
    if (frame.type === 'channel.ready') clearTimeout(late);
    handle(frame, attendance);
  };
  client.frames.forEach(take);
  client.log.onFrame(take);
  attendance.signal.addEventListener('abort', kill);
  return () => {
    clearTimeout(late);
    attendance.signal.removeEventListener('abort', kill);
  };
}

export async function attendWebSocket(attendance: Attendance): Promise<End> {
  const { baseUrl, watch } = attendance;
  let client: WebSocketClient;
  try {
    client = await WebSocketClient.open(baseUrl, {
      query: { ...watch.parameters(), replaces: attendance.replaces },
      protocols: ['chat.v1', `bearer.${watch.token}`],
    });
  } catch (error) {
    if (error instanceof UpgradeRefused && error.status < 500 && error.status !== 429) {
      return { kind: 'terminal', why: error.message };
    }
    return { kind: 'retry', why: String(error) };
  }
  const done = follow(client, attendance, () => client.terminate());
  const { code, reason } = await client.closed(3_600_000);
  done();
  return endOf(code, `closed with ${code} ${reason}`);
}

/** `path` is that of a stream link, followed as a browser's EventSource does; without one the client reads by fetch. */
export async function attendSse(attendance: Attendance, link: string | null): Promise<End> {
  const { baseUrl, watch } = attendance;
  let client: SseClient;
  try {
    client =
      link === null
        ? await SseClient.open(
            baseUrl,
            pathOf('/channel/sse', { ...watch.parameters(), replaces: attendance.replaces }),
            {
              token: watch.token,
            },
          )
        : await SseClient.open(baseUrl, link, { headers: { 'Last-Event-ID': watch.lastEventId() } });
  } catch (error) {
    return { kind: 'retry', why: String(error) };
  }
  if (client.status !== 200) {
    const why = `SSE answered ${client.status}`;
    client.close();
    return client.status === 429 || client.status >= 500 ? { kind: 'retry', why } : { kind: 'terminal', why };
  }
  const done = follow(client, attendance, () => client.close());
  await client.ended(3_600_000);
  done();
  const closed = client.frames.find((frame) => frame.type === 'channel.closed');
  const why = closed === undefined ? 'the stream ended' : `channel.closed ${JSON.stringify(closed.data)}`;
  if (link !== null) {
    // An EventSource knows no codes: it comes back after the time the stream stated, whatever the end was.
    const retry = client.blocks.findLast((block) => block.retry !== undefined)?.retry;
    return { kind: 'retry_after', ms: Number(retry ?? 3_000), why };
  }
  const code = closed?.data['code'];
  return typeof code === 'number' ? endOf(code, why) : { kind: 'retry', why };
}

/** Polls until one fails. */
export async function attendPoll(attendance: Attendance): Promise<End> {
  const http = new HttpClient(attendance.baseUrl);
  try {
    for (;;) {
      const end = await pollOnce(http, attendance, WAIT_SECONDS);
      if (end !== null) return end;
      attendance.ready();
    }
  } finally {
    http.close();
  }
}

/** A read that takes no slot, for clients that were refused one. */
export async function readOnce(attendance: Attendance): Promise<End | null> {
  const http = new HttpClient(attendance.baseUrl);
  try {
    return await pollOnce(http, attendance, 0);
  } finally {
    http.close();
  }
}

async function pollOnce(http: HttpClient, { watch, signal, via }: Attendance, wait: number): Promise<End | null> {
  let answer: HttpAnswer;
  try {
    const path = `/channel/poll${query({ ...watch.parameters(), wait })}`;
    answer = await http.get(path, { token: watch.token, signal });
  } catch (error) {
    return { kind: 'retry', why: String(error) };
  }
  if (answer.status === 429) return { kind: 'limited', why: 'poll answered 429' };
  if (answer.status >= 500) {
    const seconds = Number(answer.header('retry-after') ?? Number.NaN);
    const why = `poll answered ${answer.status}: ${answer.text.slice(0, 200)}`;
    return Number.isNaN(seconds) ? { kind: 'retry', why } : { kind: 'retry_after', ms: seconds * 1_000, why };
  }
  if (answer.status !== 200) return { kind: 'terminal', why: `poll answered ${answer.status}: ${answer.text}` };
  const { cursor } = answer.as(pollResponseSchema);
  // As they were written: a parsed page has the schema's order of fields, not the sender's.
  for (const event of rawPage.parse(answer.json()).events) watch.take(frameFrom(event), via);
  watch.takeCursor(cursor);
  return null;
}
