import { type Frame, frameFrom, ofType } from './frame.ts';
import type { Cut, Transport } from './resuming-observer.ts';
import { HttpClient, query } from './http-client.ts';
import { PollClient } from './poll-client.ts';
import { SseClient } from './sse-client.ts';
import { sleep } from '../wait.ts';
import { WebSocketClient } from './websocket-client.ts';

/** Identity of an event in the staff channel: session and seq, or feed id if there is no seq. */
export function staffEventKey(event: {
  session_id: number | null;
  seq: number | null;
  feed_id?: number | undefined;
}): string {
  return event.seq === null ? `feed:${event.feed_id}` : `${event.session_id}:${event.seq}`;
}

/**
 * An operator's client with scope `all` that knows only the last `cursor` it received. Every event must come once and
 * in the order of the feed, however it is cut off and reconnects.
 */
export class StaffObserver {
  readonly violations: string[] = [];
  readonly seen = new Map<string, Frame>();
  #lastFeedSeq: number;
  /** How often the server was full (1013, 503). */
  refusals = 0;
  cuts = 0;
  #cursor: string;
  readonly #baseUrl: string;
  readonly #token: string;
  readonly #http: HttpClient;

  constructor(baseUrl: string, token: string, cursor: string) {
    this.#baseUrl = baseUrl;
    this.#token = token;
    this.#cursor = cursor;
    this.#lastFeedSeq = Number(cursor);
    this.#http = new HttpClient(baseUrl);
  }

  async #comeBackLater(): Promise<void> {
    this.refusals += 1;
    await sleep(300);
  }

  get cursor(): string {
    return this.#cursor;
  }

  #take(frame: Frame, via: string): void {
    if (frame.type === 'channel.reset') this.violations.push(`${via}: reset at cursor ${this.#cursor}: ${frame.raw}`);
    // The ready frame's cursor is the point after which events follow: nothing before it must come.
    if (frame.cursor !== undefined && frame.type !== 'channel.ready') this.#cursor = frame.cursor;
    if (frame.seq === null && frame.feed_id === undefined) return;
    const key = staffEventKey(frame);
    if (this.seen.has(key)) this.violations.push(`${via}: ${key} came again`);
    this.seen.set(key, frame);
    const feedSeq = frame.feed_seq ?? 0;
    // Scope all sees every event, so its numbers have no gap.
    if (feedSeq !== this.#lastFeedSeq + 1)
      this.violations.push(`${via}: number ${feedSeq} came after ${this.#lastFeedSeq}`);
    this.#lastFeedSeq = feedSeq;
  }

  async attend(transport: Exclude<Transport, 'stream-link'> | 'feed', cut: Cut): Promise<void> {
    this.cuts += 1;
    if (transport === 'poll') return this.#attendPoll(cut);
    if (transport === 'feed') return this.#readFeed(cut);
    if (transport === 'websocket') {
      const client = await WebSocketClient.open(this.#baseUrl, {
        query: { type: 'staff', cursor: this.#cursor },
        protocols: ['chat.v1', `bearer.${this.#token}`],
      });
      await this.#untilCut(client.log, transport, cut, () => client.terminate());
      const event = await client.closed();
      if (event.code === 1013) await this.#comeBackLater();
      else if (event.code !== 1006)
        this.violations.push(`websocket: the server closed with ${event.code} ${event.reason}`);
      return;
    }
    const client = await SseClient.open(
      this.#baseUrl,
      `/channel/sse${query({ type: 'staff', cursor: this.#cursor })}`,
      {
        token: this.#token,
      },
    );
    if (client.status !== 200) throw new Error(`sse answered ${client.status}: ${client.body}`);
    await this.#untilCut(client.log, transport, cut, () => client.close());
    const closed = client.frames.find(ofType('channel.closed'));
    if (closed?.data['code'] === 1013) await this.#comeBackLater();
    else if (closed !== undefined) this.violations.push(`sse: the server closed: ${closed.raw}`);
  }

  #untilCut(
    log: { onFrame(listener: (frame: Frame) => void): void; readonly frames: readonly Frame[] },
    via: string,
    cut: Cut,
    kill: () => void,
  ): Promise<void> {
    return new Promise((resolve) => {
      let dead = false;
      let fresh = 0;
      const timer = setTimeout(() => die(), cut.afterMs);
      const die = (): void => {
        if (dead) return;
        dead = true;
        clearTimeout(timer);
        kill();
        resolve();
      };
      const take = (frame: Frame): void => {
        if (dead) return;
        const before = this.seen.size;
        this.#take(frame, via);
        fresh += this.seen.size - before;
        if (cut.afterFrames !== undefined && fresh >= cut.afterFrames) die();
      };
      for (const frame of log.frames) take(frame);
      log.onFrame(take);
    });
  }

  async #attendPoll(cut: Cut): Promise<void> {
    const poll = new PollClient(this.#http, 'staff', this.#token);
    const cutOff = AbortSignal.timeout(cut.afterMs);
    while (!cutOff.aborted) {
      try {
        const page = await poll.pollIfAdmitted({ cursor: this.#cursor, wait: 3 }, cutOff);
        if (page === undefined) {
          await this.#comeBackLater();
          continue;
        }
        for (const event of page.events) this.#take(frameFrom(event), 'poll');
        if (page.cursor !== undefined) this.#cursor = page.cursor;
      } catch (error) {
        if (!cutOff.aborted) throw error;
      }
    }
  }

  async #readFeed(cut: Cut): Promise<void> {
    const deadline = Date.now() + cut.afterMs;
    do {
      const answer = await this.#http.get(`/chat/feed${query({ after: this.#cursor, limit: 1 + (this.cuts % 50) })}`, {
        token: this.#token,
      });
      const page = frameFrom({ type: 'page', data: answer.json() }).data;
      const events: unknown[] = Array.isArray(page['events']) ? page['events'] : [];
      for (const event of events) this.#take(frameFrom(event), 'feed');
      if (typeof page['cursor'] === 'string') this.#cursor = page['cursor'];
    } while (Date.now() < deadline);
  }

  close(): void {
    this.#http.close();
  }
}
