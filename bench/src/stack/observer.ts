import { RawClient } from '../generator/raw-client.ts';

interface Frame {
  readonly type: string;
  readonly seq: number | null;
  readonly messageId: number | null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.entries(value).find(([key]) => key === name)?.[1]
    : undefined;
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

function parse(payload: Buffer): Frame {
  const frame: unknown = JSON.parse(payload.toString('utf8'));
  const type = field(frame, 'type');
  return {
    type: typeof type === 'string' ? type : '',
    seq: numberOrNull(field(frame, 'seq')),
    messageId: numberOrNull(field(field(frame, 'data'), 'id')),
  };
}

/** A customer's socket that remembers how far it has got, and takes notice of every hole and repetition. */
export class Observer {
  readonly sessionId: number;
  /** -1 until the first event: where it began was its head then. */
  lastSeq = -1;
  faults = 0;
  messages = 0;
  readyAt = 0;
  client: RawClient | null = null;
  #settle: () => void = () => undefined;
  readonly #token: string;
  readonly #onMessage: (messageId: number, at: number) => void;

  constructor(sessionId: number, token: string, onMessage: (messageId: number, at: number) => void = () => undefined) {
    this.sessionId = sessionId;
    this.#token = token;
    this.#onMessage = onMessage;
  }

  /** After the upgrade; `readyAt` tells when the channel said that it is ready. */
  async connect(port: number): Promise<RawClient> {
    const cursor = this.lastSeq < 0 ? '' : `&last_seq=${this.lastSeq}`;
    const client = new RawClient(
      port,
      `/channel/ws?session=${this.sessionId}&token=${this.#token}${cursor}`,
      (payload) => this.#take(payload),
    );
    this.client = client;
    await client.opened;
    return client;
  }

  /** Connects, and answers whether the channel said that it is ready before the connection ended. */
  async resume(port: number): Promise<boolean> {
    const before = this.readyAt;
    // Not asked for again and again: thousands of timers take the generator more time than all frames.
    const settled = new Promise<void>((resolve) => {
      this.#settle = resolve;
    });
    const client = await this.connect(port);
    client.socket.once('close', () => this.#settle());
    if (client.ended) this.#settle();
    await settled;
    return this.readyAt > before;
  }

  #take(payload: Buffer): void {
    const at = performance.now();
    const { type, seq, messageId } = parse(payload);
    if (type === 'channel.ready') {
      this.readyAt = at;
      this.#settle();
    }
    if (type === 'channel.reset') this.faults += 1;
    if (seq === null) return;
    if (this.lastSeq >= 0 && seq !== this.lastSeq + 1) this.faults += 1;
    this.lastSeq = seq;
    if (type !== 'chat.message' || messageId === null) return;
    this.messages += 1;
    this.#onMessage(messageId, at);
  }
}
