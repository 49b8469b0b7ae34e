import { pollResponseSchema } from '@chat-realtime/protocol';
import { z } from 'zod';

export const TRANSPORTS = ['websocket', 'sse', 'poll'] as const;
export type ProbedTransport = (typeof TRANSPORTS)[number];
export const ROLES = ['customer', 'operator'] as const;
export type ProbedRole = (typeof ROLES)[number];

/** The person a connection belongs to, and the point from which it reads. */
export interface Watched {
  readonly baseUrl: string;
  readonly token: string;
  /** `session=…&last_seq=…` or `type=staff[&cursor=…]`. */
  readonly query: string;
}

const frameSchema = z.looseObject({ type: z.string(), data: z.looseObject({ id: z.unknown().optional() }).optional() });

/** One connection that notes when it was shown which message. */
export interface Watcher {
  /** Rejects when it cannot be connected. */
  readonly ready: Promise<void>;
  /** On the monotonic clock. */
  readonly seen: ReadonlyMap<number, number>;
  close(): void;
}

class Seen {
  readonly times = new Map<number, number>();
  #ready!: () => void;
  #failed!: (error: Error) => void;
  readonly ready = new Promise<void>((resolve, reject) => {
    this.#ready = resolve;
    this.#failed = reject;
  });

  constructor() {
    // Resolves for anyone who waits; after the end of the round nobody does.
    this.ready.catch(() => undefined);
  }

  take(text: string): void {
    const frame = frameSchema.safeParse(JSON.parse(text));
    if (!frame.success) return;
    if (frame.data.type === 'channel.ready') this.#ready();
    const id = frame.data.data?.id;
    if (frame.data.type.startsWith('chat.message') && typeof id === 'number' && !this.times.has(id))
      this.times.set(id, performance.now());
  }

  connected(): void {
    this.#ready();
  }

  fail(why: string): void {
    this.#failed(new Error(why));
  }
}

const address = ({ baseUrl, query }: Watched, path: string): URL => new URL(`${path}?${query}`, baseUrl);
const bearer = ({ token }: Watched) => ({ authorization: `Bearer ${token}` });

function watchSocket(watched: Watched): Watcher {
  const seen = new Seen();
  const url = address(watched, '/channel/ws');
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const socket = new WebSocket(url, ['chat.v1', `bearer.${watched.token}`]);
  socket.addEventListener('message', ({ data }) => {
    if (typeof data === 'string') seen.take(data);
  });
  socket.addEventListener('close', ({ code }) => seen.fail(`closed with ${code}`));
  socket.addEventListener('error', () => seen.fail('no connection'));
  return { ready: seen.ready, seen: seen.times, close: () => socket.close() };
}

function watchStream(watched: Watched): Watcher {
  const seen = new Seen();
  const ending = new AbortController();
  const read = async (): Promise<void> => {
    const response = await fetch(address(watched, '/channel/sse'), { headers: bearer(watched), signal: ending.signal });
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    let rest = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('data:')) seen.take(line.slice('data:'.length));
    }
    throw new Error('the stream ended');
  };
  read().catch((error: unknown) => seen.fail(String(error)));
  return { ready: seen.ready, seen: seen.times, close: () => ending.abort() };
}

function watchPolls(watched: Watched, cursorOf: 'last_seq' | 'cursor', waitSeconds: number): Watcher {
  const seen = new Seen();
  const ending = new AbortController();
  const read = async (): Promise<void> => {
    let query = watched.query;
    for (;;) {
      const url = address({ ...watched, query: `${query}&wait=${waitSeconds}` }, '/channel/poll');
      // What comes after this cursor is waited for: from here on nothing is missed.
      if (query.includes(`${cursorOf}=`)) seen.connected();
      const response = await fetch(url, { headers: bearer(watched), signal: ending.signal });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const page = pollResponseSchema.parse(await response.json());
      for (const event of page.events) seen.take(JSON.stringify(event));
      const next = cursorOf === 'cursor' ? page.cursor : page.last_seq;
      const base = watched.query.split('&')[0] ?? '';
      query = `${base}&${cursorOf}=${cursorOf === 'last_seq' ? (page.events.at(-1)?.seq ?? next) : next}`;
    }
  };
  read().catch((error: unknown) => seen.fail(String(error)));
  return { ready: seen.ready, seen: seen.times, close: () => ending.abort() };
}

export function watch(transport: ProbedTransport, role: ProbedRole, watched: Watched, waitSeconds: number): Watcher {
  switch (transport) {
    case 'websocket':
      return watchSocket(watched);
    case 'sse':
      return watchStream(watched);
    case 'poll':
      return watchPolls(watched, role === 'customer' ? 'last_seq' : 'cursor', waitSeconds);
  }
}
