import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { SignedIn } from '@chat-realtime/auth-service';
import type { FanoutListener } from '@chat-realtime/messaging';
import { ChatError, parseId, sessionChannel } from '@chat-realtime/protocol';
import { routeAccess } from '@chat-realtime/service-kit';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { BreakableBroker } from './breakable-broker.ts';
import type { BreakableFanout } from './breakable-fanout.ts';
import type { BreakableNetwork } from './breakable-network.ts';
import { openEventStream } from './event-stream.ts';
import { EXPERIMENTS, type Experiments } from './experiments.ts';
import { CLOSED_PAGE, CLOSED_POLICY } from './closed-page.ts';
import type { PathMeter } from './path-meter.ts';
import type { RestartableDispatcher } from './restartable-dispatcher.ts';
import type { TryDoor } from './try-door.ts';

export interface TrialRoutes {
  readonly door: TryDoor;
  readonly experiments: Experiments;
  readonly broker: BreakableBroker;
  readonly fanout: BreakableFanout;
  readonly network: BreakableNetwork;
  readonly dispatcher: RestartableDispatcher;
  readonly meter: PathMeter;
  readonly failed: (error: unknown) => void;
  /** The chat of this visit belongs to the demo, and is removed with it. */
  readonly begun: (sessionId: number) => Promise<void>;
  readonly signIn: (clientIp: string) => Promise<SignedIn>;
}

/** Beside `dist/site`, which nginx serves: only this process serves these pages. */
const FOLDER = new URL('../../../../dist/try/', import.meta.url);
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self' ws: wss:; " +
  "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'";
const PAGES = { '/try/': 'index.html', '/try/customer/': 'customer/index.html' } as const;
const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
const FEED_EVERY_MS = 100;
const HEARTBEAT_MS = 1_000;
/** It must keep running while the network is cut: it is an observer like the browsers. */
const LISTENER = '/try/listener';
const OWN_HEADER = 'x-try';

const CLOSED = 'open the address that npm start has printed; each of its keys opens once';

const begunSchema = z.object({ session: z.int().min(1) });
const experimentSchema = z.object({
  name: z.enum(EXPERIMENTS),
  session: z.int().min(1),
  language: z.enum(['ru', 'en']),
});

/** The page and its instruments, for visitors whom `try-door.ts` let in. */
export async function installTrialRoutes(server: FastifyInstance, parts: TrialRoutes): Promise<void> {
  const { door, network, experiments, failed } = parts;
  const config = routeAccess({ kind: 'public', reason: 'the cookie that a key from the terminal was exchanged for' });
  const admitted = (request: FastifyRequest): boolean => door.admits(request.headers.cookie);
  const visitorOnly = async (request: FastifyRequest): Promise<void> => {
    if (!admitted(request)) throw new ChatError('forbidden', CLOSED);
  };
  /** A custom header: a page of another port gets the cookie too, but may not send this header without a preflight. */
  const pageOnly = async (request: FastifyRequest): Promise<void> => {
    await visitorOnly(request);
    if (request.headers[OWN_HEADER] === undefined)
      throw new ChatError('forbidden', 'only the page /try/ may call this');
  };
  const file = { config, onRequest: visitorOnly };
  const instrument = { config, onRequest: pageOnly };

  network.install(server, (request) => {
    if (request.url.startsWith(LISTENER)) return false;
    return request.url.startsWith('/try/') || (request.headers[OWN_HEADER] !== undefined && admitted(request));
  });
  server.get('/try', { config }, async (request, reply) => reply.redirect(`/try/${searchOf(request)}`, 308));
  for (const [path, file] of Object.entries(PAGES)) {
    server.get<{ Querystring: { key?: unknown } }>(path, { config }, async (request, reply) => {
      const { key } = request.query;
      // HEAD, which link previews send, uses up no key.
      if (typeof key === 'string' && request.method === 'GET') {
        const cookie = door.exchange(key);
        if (cookie !== null) void reply.header('set-cookie', cookie);
        // The address with the key remains neither in the address bar nor in the history.
        if (cookie !== null || admitted(request)) return reply.header('cache-control', 'no-store').redirect(path, 303);
      }
      if (!admitted(request)) return closed(request, reply);
      const html = await readFile(new URL(file, FOLDER), 'utf8');
      // A visitor who comes, or reloads the page in the middle of a cut, starts with a working network.
      network.mend();
      return asPage(reply).send(html);
    });
  }
  server.get<{ Params: { name: string } }>('/try/assets/:name', file, async (request, reply) => {
    const { name } = request.params;
    const type = TYPES[/^[\w-]+\.(\w+)$/.exec(name)?.[1] ?? ''];
    if (type === undefined) throw new ChatError('not_found', 'no such address');
    const bytes = await readFile(fileURLToPath(new URL(`assets/${name}`, FOLDER))).catch((cause: unknown) => {
      throw new ChatError('not_found', 'no such address', { cause });
    });
    return reply.type(type).header('cache-control', 'no-cache').header('x-content-type-options', 'nosniff').send(bytes);
  });
  server.post('/try/api/sign-in', instrument, async (request, reply) =>
    reply.header('cache-control', 'no-store').send(await parts.signIn(request.clientIp)),
  );
  server.post('/try/api/begun', instrument, async (request, reply) => {
    const parsed = begunSchema.safeParse(request.body);
    if (!parsed.success) throw new ChatError('validation_failed', 'session must be a number');
    await parts.begun(parsed.data.session);
    return reply.code(204).send();
  });
  server.post('/try/api/experiment', instrument, async (request, reply) => {
    const parsed = experimentSchema.safeParse(request.body);
    if (!parsed.success) throw new ChatError('validation_failed', 'no such experiment');
    const { name, session, language } = parsed.data;
    // The path stream reports its end: a browser has six connections in all, and the chat needs them.
    return reply.code(202).send({ run: experiments.begin(name, session, language) });
  });
  server.get('/try/api/path', file, async (request, reply) => streamPath(reply, sessionOf(request), parts));
  server.get(LISTENER, file, async (request, reply) => {
    const sessionId = sessionOf(request);
    await listenWithoutCursor(reply, sessionId, parts.fanout, failed);
  });
}

function searchOf(request: FastifyRequest): string {
  const mark = request.url.indexOf('?');
  return mark === -1 ? '' : request.url.slice(mark);
}

/** A person gets a page with words, a program the error envelope of every other address. */
function closed(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (request.headers.accept?.includes('text/html') !== true) throw new ChatError('forbidden', CLOSED);
  return asPage(reply, CLOSED_POLICY).code(403).send(CLOSED_PAGE);
}

function asPage(reply: FastifyReply, policy = POLICY): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('content-security-policy', policy)
    .header('cache-control', 'no-store')
    .header('x-content-type-options', 'nosniff')
    .header('referrer-policy', 'no-referrer');
}

function sessionOf(request: FastifyRequest): number {
  const id = parseId(new URL(request.url, 'http://localhost').searchParams.get('session') ?? undefined);
  if (id === undefined) throw new ChatError('validation_failed', 'session must be a number');
  return id;
}

/** What passed each part, which part is down and which experiments have ended; at most ten times a second. */
function streamPath(reply: FastifyReply, sessionId: number, parts: TrialRoutes): void {
  const { meter, broker, dispatcher, network, experiments } = parts;
  let timer: NodeJS.Timeout | null = null;
  const send = (): void => {
    timer = null;
    const now = performance.now();
    stream.send(
      JSON.stringify({
        hops: meter.of(sessionId),
        waiting: broker.waiting(sessionId),
        dropArmed: broker.isDropArmed(sessionId),
        experiments: experiments.progress,
        dispatcherBackInMs: dispatcher.backAt === null ? null : Math.max(0, dispatcher.backAt - now),
        networkBackInMs: network.backAt === null ? null : Math.max(0, network.backAt - now),
      }),
    );
  };
  const off = meter.onChange(() => {
    timer ??= setTimeout(send, FEED_EVERY_MS);
  });
  const heartbeat = setInterval(send, HEARTBEAT_MS);
  const stream = openEventStream(reply, () => {
    off();
    clearInterval(heartbeat);
    if (timer !== null) clearTimeout(timer);
  });
  send();
}

/**
 * What a plain subscriber to the fan-out would get: every frame while it is connected, nothing of what it missed, and
 * no number that would show the loss.
 */
async function listenWithoutCursor(
  reply: FastifyReply,
  sessionId: number,
  fanout: BreakableFanout,
  failed: (error: unknown) => void,
): Promise<void> {
  const channel = sessionChannel(sessionId);
  const listener: FanoutListener = (payload) => stream.send(payload.toString('utf8'));
  const stream = openEventStream(reply, () => {
    fanout.unsubscribe(channel, listener).catch(failed);
  });
  await fanout.tap(channel, listener);
}
