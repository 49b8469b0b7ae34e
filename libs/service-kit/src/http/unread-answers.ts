import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';

export interface UnreadAnswerLimits {
  /** Bytes of all answers together that wait for their readers. */
  readonly maxBytes: number;
  /** How long one answer may wait: a page has a quarter of a megabyte, which the slowest phone takes in this time. */
  readonly deadlineMs: number;
}

export const UNREAD_ANSWER_LIMITS: UnreadAnswerLimits = { maxBytes: 64 * 1024 * 1024, deadlineMs: 60_000 };

/** Bytes that the kernel accepts from every socket at once are not worth a check. */
const SMALL = 4_096;
const SWEEP_MS = 1_000;

interface Unread {
  readonly reply: FastifyReply;
  readonly ip: string;
  readonly bytes: number;
  /** Of the monotonic clock. */
  readonly since: number;
}

/**
 * Responses that a client does not read stay in our memory. Their total size and their age are limited. Beyond that,
 * connections are closed: those of the address with the most bytes first, and its oldest first, so that a deliberate
 * attacker is cut off first.
 */
export class UnreadAnswers {
  readonly #limits: UnreadAnswerLimits;
  readonly #dropped: (unread: Unread, reason: 'too_much' | 'too_long') => void;
  /** In the order in which they were given. */
  readonly #waiting = new Set<Unread>();
  readonly #byAddress = new Map<string, number>();
  #bytes = 0;

  constructor(limits: UnreadAnswerLimits, dropped: (unread: Unread, reason: 'too_much' | 'too_long') => void) {
    this.#limits = limits;
    this.#dropped = dropped;
  }

  get bytes(): number {
    return this.#bytes;
  }

  add(request: FastifyRequest, reply: FastifyReply, bytes: number): void {
    const unread = { reply, ip: request.clientIp, bytes, since: performance.now() };
    this.#waiting.add(unread);
    this.#bytes += bytes;
    this.#byAddress.set(unread.ip, (this.#byAddress.get(unread.ip) ?? 0) + bytes);
    const gone = (): void => this.#remove(unread);
    reply.raw.once('finish', gone);
    reply.raw.once('close', gone);
    while (this.#bytes > this.#limits.maxBytes) {
      const victim = this.#victim(unread);
      // A single answer larger than all there may be is still an answer.
      if (victim === undefined) return;
      this.#drop(victim, 'too_much');
    }
  }

  sweep(now: number): void {
    for (const unread of this.#waiting) {
      if (now - unread.since <= this.#limits.deadlineMs) return;
      this.#drop(unread, 'too_long');
    }
  }

  #victim(newest: Unread): Unread | undefined {
    const [most] = [...this.#byAddress].reduce((a, b) => (b[1] > a[1] ? b : a), ['', -1]);
    for (const unread of this.#waiting) if (unread.ip === most && unread !== newest) return unread;
    for (const unread of this.#waiting) if (unread !== newest) return unread;
    return undefined;
  }

  #drop(unread: Unread, reason: 'too_much' | 'too_long'): void {
    this.#remove(unread);
    this.#dropped(unread, reason);
    unread.reply.raw.destroy();
  }

  #remove(unread: Unread): void {
    if (!this.#waiting.delete(unread)) return;
    this.#bytes -= unread.bytes;
    const left = (this.#byAddress.get(unread.ip) ?? 0) - unread.bytes;
    if (left > 0) this.#byAddress.set(unread.ip, left);
    else this.#byAddress.delete(unread.ip);
  }
}

function sizeOf(payload: unknown): number {
  if (typeof payload === 'string') return payload.length;
  return payload instanceof Uint8Array ? payload.byteLength : 0;
}

/** Streams pace themselves by their reader; what is here are answers that are whole. */
export function installUnreadAnswers(
  server: FastifyInstance,
  metrics: Metrics,
  logger: Logger,
  limits: UnreadAnswerLimits = UNREAD_ANSWER_LIMITS,
): void {
  const dropped = metrics.counter({
    name: 'chat_http_unread_answers_dropped_total',
    help: 'Connections closed because their responses were not read',
    labels: ['reason'],
  });
  const unread = new UnreadAnswers(limits, ({ reply, bytes }, reason) => {
    dropped.inc({ reason });
    logger.warn({ request_id: reply.request.id, bytes, reason }, 'an answer that nobody reads was dropped');
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    const bytes = sizeOf(payload);
    if (bytes > SMALL) unread.add(request, reply, bytes);
    done(null, payload);
  });
  const timer = setInterval(() => unread.sweep(performance.now()), Math.min(SWEEP_MS, limits.deadlineMs));
  timer.unref();
  server.addHook('onClose', (_, done) => {
    clearInterval(timer);
    done();
  });
}
