import { type Frame, frameFrom, ofType } from './frame.ts';
import { HttpClient, query } from './http-client.ts';
import { PollClient } from './poll-client.ts';
import { SseClient } from './sse-client.ts';
import { sleep } from '../wait.ts';
import { WebSocketClient } from './websocket-client.ts';

export const TRANSPORTS = ['websocket', 'sse', 'stream-link', 'poll'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export interface ObserverSession {
  readonly baseUrl: string;
  readonly sessionId: number;
  readonly token: string;
  /** Path and query of a signed stream link. */
  readonly streamLink?: string;
}

/** When a connection is cut off: after this time, or after this many frames. */
export interface Cut {
  readonly afterMs: number;
  readonly afterFrames?: number;
}

/**
 * Follows one session with nothing but its cursor, over whatever transport it is given, and is cut off again and again.
 * It forgives nothing: a seq that comes twice, out of order or after a gap is a violation.
 */
export class ResumingObserver {
  readonly violations: string[] = [];
  readonly shown: Frame[] = [];
  cuts = 0;
  /** How often the server was full (1013, 503): that is allowed, and the client comes back. */
  refusals = 0;
  #cursor: number;
  readonly #session: ObserverSession;
  readonly #http: HttpClient;

  constructor(session: ObserverSession, cursor = 0) {
    this.#session = session;
    this.#cursor = cursor;
    this.#http = new HttpClient(session.baseUrl);
  }

  async #comeBackLater(): Promise<void> {
    this.refusals += 1;
    await sleep(300);
  }

  get cursor(): number {
    return this.#cursor;
  }

  #take(frame: Frame, via: Transport): void {
    if (frame.type === 'channel.reset') this.violations.push(`${via}: reset at cursor ${this.#cursor}: ${frame.raw}`);
    if (frame.seq === null) return;
    if (frame.session_id !== this.#session.sessionId) {
      this.violations.push(`${via}: event of session ${frame.session_id} came to ${this.#session.sessionId}`);
      return;
    }
    if (frame.seq !== this.#cursor + 1) this.violations.push(`${via}: seq ${frame.seq} came at cursor ${this.#cursor}`);
    if (frame.seq <= this.#cursor) return;
    this.#cursor = frame.seq;
    this.shown.push(frame);
  }

  /** One connection from the current cursor until the cut. Resolves when the transport is dead. */
  async attend(transport: Transport, cut: Cut): Promise<void> {
    this.cuts += 1;
    if (transport === 'poll') return this.#attendPoll(cut);
    if (transport === 'websocket') return this.#attendWebSocket(cut);
    return this.#attendSse(transport, cut);
  }

  async #attendWebSocket(cut: Cut): Promise<void> {
    const client = await WebSocketClient.open(this.#session.baseUrl, {
      query: { session: this.#session.sessionId, last_seq: this.#cursor },
      protocols: ['chat.v1', `bearer.${this.#session.token}`],
    });
    await this.#untilCut(client.log, 'websocket', cut, () => client.terminate());
    const event = await client.closed();
    if (event.code === 1013) await this.#comeBackLater();
    else if (event.code !== 1006)
      this.violations.push(`websocket: the server closed with ${event.code} ${event.reason}`);
  }

  async #attendSse(transport: 'sse' | 'stream-link', cut: Cut): Promise<void> {
    const { baseUrl, sessionId, token, streamLink } = this.#session;
    if (transport === 'stream-link' && streamLink === undefined) throw new Error('this observer has no stream link');
    // Odd cuts resume as a native EventSource does; the stale last_seq beside it must lose against Last-Event-ID.
    const native = this.cuts % 2 === 1;
    const lastSeq = native ? 0 : this.#cursor;
    const path =
      transport === 'sse'
        ? `/channel/sse${query({ session: sessionId, last_seq: lastSeq })}`
        : `${streamLink}${query({ last_seq: lastSeq }).replace('?', '&')}`;
    const client = await SseClient.open(baseUrl, path, {
      ...(transport === 'sse' ? { token } : {}),
      headers: native ? { 'Last-Event-ID': String(this.#cursor) } : {},
    });
    if (client.status !== 200) throw new Error(`${transport} answered ${client.status}: ${client.body}`);
    await this.#untilCut(client.log, transport, cut, () => client.close());
    const closed = client.frames.find(ofType('channel.closed'));
    if (closed?.data['code'] === 1013) await this.#comeBackLater();
    else if (closed !== undefined) this.violations.push(`${transport}: the server closed: ${closed.raw}`);
  }

  #untilCut(
    log: { onFrame(listener: (frame: Frame) => void): void; readonly frames: readonly Frame[] },
    transport: Transport,
    cut: Cut,
    kill: () => void,
  ): Promise<void> {
    return new Promise((resolve) => {
      let dead = false;
      let frames = 0;
      const timer = setTimeout(() => die(), cut.afterMs);
      const die = (): void => {
        if (dead) return;
        dead = true;
        clearTimeout(timer);
        kill();
        resolve();
      };
      // Frames in flight when the connection is cut are lost to the client: `dead` stands for that.
      const take = (frame: Frame): void => {
        if (dead) return;
        this.#take(frame, transport);
        if (frame.seq !== null) frames += 1;
        if (cut.afterFrames !== undefined && frames >= cut.afterFrames) die();
      };
      for (const frame of log.frames) take(frame);
      log.onFrame(take);
    });
  }

  async #attendPoll(cut: Cut): Promise<void> {
    const poll = new PollClient(this.#http, { session: this.#session.sessionId }, this.#session.token);
    const cutOff = AbortSignal.timeout(cut.afterMs);
    let frames = 0;
    while (!cutOff.aborted && (cut.afterFrames === undefined || frames < cut.afterFrames)) {
      try {
        const page = await poll.pollIfAdmitted({ last_seq: this.#cursor, wait: 5 }, cutOff);
        if (page === undefined) {
          await this.#comeBackLater();
          continue;
        }
        for (const event of page.events) {
          this.#take(frameFrom(event), 'poll');
          frames += 1;
        }
        if (page.last_seq !== null && page.last_seq < this.#cursor)
          this.violations.push(`poll: head ${page.last_seq} < cursor ${this.#cursor}`);
      } catch (error) {
        if (!cutOff.aborted) throw error;
      }
    }
  }

  /** Stays connected until the head is reached. */
  async catchUp(transport: Transport, head: number, timeoutMs = 15_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.#cursor < head) {
      if (Date.now() > deadline) throw new Error(`stuck at ${this.#cursor} of ${head} on ${transport}`);
      await this.attend(transport, { afterMs: 3_000, afterFrames: head - this.#cursor });
    }
  }

  close(): void {
    this.#http.close();
  }
}
