import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { acksRequestSchema, catchupRequestSchema } from '@chat-realtime/protocol';

type Event = Record<string, unknown> & { readonly seq: number };

/** How the site answers: correctly, late, with an error, with garbage, or endlessly. */
export type ForeignMood = 'well' | 'slow' | 'failing' | 'nonsense' | 'endless';

/** A site's own chat-service that knows the two calls of SPEC (INT2, INT7) and nothing else: no epoch, no feed, no state. */
export class ForeignService {
  readonly events = new Map<number, Event[]>();
  readonly acked: unknown[] = [];
  readonly keys = new Set<string | undefined>();
  catchup: ForeignMood = 'well';
  acks: ForeignMood = 'well';
  catchupCalls = 0;
  ackCalls = 0;
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<ForeignService> {
    const service = new ForeignService();
    await new Promise<void>((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    return service;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the foreign service has no port');
    return `http://127.0.0.1:${address.port}`;
  }

  /** As the site's own transaction does. */
  append(sessionId: number, type: string, data: Record<string, unknown>): Event {
    const list = this.events.get(sessionId) ?? [];
    this.events.set(sessionId, list);
    const event = { type, session_id: sessionId, seq: list.length + 1, data };
    list.push(event);
    return event;
  }

  message(sessionId: number, id: number): Event {
    return this.append(sessionId, 'chat.message', { id, sender_type: 'operator', body: `text ${id}` });
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.keys.add(request.headers.authorization);
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const isCatchup = request.url === '/site/catchup.php';
    if (isCatchup) this.catchupCalls += 1;
    else this.ackCalls += 1;
    const mood = isCatchup ? this.catchup : this.acks;
    if (mood === 'slow') return;
    if (mood === 'failing') return void response.writeHead(500).end('<b>Fatal error</b>');
    if (mood === 'nonsense') return void response.writeHead(200).end('<!doctype html>');
    if (mood === 'endless') return this.#endless(response);
    if (isCatchup) return void response.writeHead(200).end(JSON.stringify(this.#page(JSON.parse(text))));
    this.acked.push(...acksRequestSchema.parse(JSON.parse(text)).acks);
    response.writeHead(204).end();
  }

  #endless(response: ServerResponse): void {
    const more = (): void => {
      if (response.destroyed) return;
      response.write('x'.repeat(1_000_000), () => setImmediate(more));
    };
    response.writeHead(200);
    more();
  }

  #page(body: unknown): object {
    const { sessions, limit } = catchupRequestSchema.parse(body);
    return {
      sessions: sessions.flatMap(({ id, after_seq: after }) => {
        const all = this.events.get(id);
        if (all === undefined) return [];
        const events = after === undefined ? [] : all.slice(after, after + limit);
        const reached = (after ?? all.length) + events.length;
        return [{ id, last_seq: all.length, events, has_more: reached < all.length }];
      }),
    };
  }
}
