import { customerToken, type GatewayUnderTest, staffToken } from './gateway-under-test.ts';
import { poll, StreamClient } from './http-clients.ts';
import { type Frame, SocketClient } from './socket-client.ts';

export type Random = () => number;

/** A small seeded generator (mulberry32), so that a failing run can be repeated. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** One customer who is cut off again and again and comes back over any transport, with their last cursor. */
export class CustomerObserver {
  readonly seen: number[] = [];
  readonly faults: string[] = [];
  #stopped = false;
  readonly #under: GatewayUnderTest;
  readonly #sessionId: number;
  readonly #random: Random;
  calm = false;

  constructor(under: GatewayUnderTest, sessionId: number, random: Random) {
    this.#under = under;
    this.#sessionId = sessionId;
    this.#random = random;
  }

  get cursor(): number {
    return this.seen.at(-1) ?? 0;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const choice = this.#random();
      if (choice < 0.45) await this.#overSocket();
      else if (choice < 0.75) await this.#overStream();
      else await this.#overPoll();
    }
  }

  #query(): string {
    return `session=${this.#sessionId}&token=${customerToken(this.#sessionId)}&last_seq=${this.cursor}`;
  }

  #take(frame: Frame, how: string): void {
    if (frame.type === 'channel.reset') this.faults.push(`${how}: reset at ${this.cursor}`);
    if (typeof frame.seq !== 'number') return;
    if (frame.seq !== this.cursor + 1) this.faults.push(`${how}: ${frame.seq} after ${this.cursor}`);
    this.seen.push(frame.seq);
  }

  async #stay(): Promise<void> {
    const until = Date.now() + 10 + this.#random() * 200;
    while (!this.#stopped && (this.calm || Date.now() < until)) await pause(5);
  }

  async #overSocket(): Promise<void> {
    const client = new SocketClient(`${this.#under.wsUrl}?${this.#query()}`);
    // What arrives after the cut was still seen by this client, so it is taken until the socket is gone.
    client.socket.on('message', (data) => this.#take(JSON.parse(String(data)), 'websocket'));
    await this.#stay();
    client.end();
    await client.closed;
  }

  async #overStream(): Promise<void> {
    const client = new StreamClient(`${this.#under.httpUrl}/channel/sse?${this.#query()}`, {}, (frame) =>
      this.#take(frame, 'sse'),
    );
    await this.#stay();
    client.close();
    await client.done;
  }

  async #overPoll(): Promise<void> {
    const answer = await poll(`${this.#under.httpUrl}/channel/poll?${this.#query()}&wait=1`);
    if (answer.status !== 200) {
      this.faults.push(`poll: status ${answer.status}`);
      await pause(20);
      return;
    }
    for (const frame of answer.body.events) this.#take(frame, 'poll');
  }
}

/** A member of staff who is cut off and resumes from the last cursor they were given. */
export class StaffObserver {
  readonly seen = new Set<string>();
  readonly faults: string[] = [];
  #cursor: string | null = null;
  #lastSeq = 0;
  #stopped = false;
  calm = false;
  readonly #under: GatewayUnderTest;
  readonly #user: string;
  readonly #random: Random;

  constructor(under: GatewayUnderTest, user: string, random: Random) {
    this.#under = under;
    this.#user = user;
    this.#random = random;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      const cursor = this.#cursor ?? '0';
      const client = new SocketClient(
        `${this.#under.wsUrl}?type=staff&access_token=${staffToken(this.#user)}&cursor=${cursor}`,
      );
      client.socket.on('message', (data) => this.#take(JSON.parse(String(data))));
      const until = Date.now() + 20 + this.#random() * 300;
      while (!this.#stopped && (this.calm || Date.now() < until)) await pause(5);
      client.end();
      await client.closed;
    }
  }

  /** Every event once and in the order of the feed, over all connections. */
  #take(frame: Frame): void {
    if (frame.type === 'channel.reset') this.faults.push('reset');
    const { feed_seq: feedSeq } = frame;
    if (feedSeq !== undefined) {
      if (feedSeq !== this.#lastSeq + 1) this.faults.push(`feed ${feedSeq} after ${this.#lastSeq}`);
      this.#lastSeq = feedSeq;
      this.seen.add(typeof frame.seq === 'number' ? `${frame.session_id}:${frame.seq}` : `f:${frame.feed_id}`);
    }
    if (frame.cursor !== undefined) this.#cursor = frame.cursor;
  }
}
