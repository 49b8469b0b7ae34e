import { CLOSE_CODES, type CloseReason, type ErrorCode } from '@chat-realtime/protocol';
import type { Connection } from '../connections/connection.ts';
import type {
  PollAnswer,
  PollTransportPort,
  SseTransportPort,
  Transport,
  WebSocketTransportPort,
} from '../connections/transport.ts';
import type { TransportKind } from '../core-metrics.ts';
import type { GatewayCore } from '../core.ts';
import { readSse, readWebSocket } from './read-frames.ts';

export interface VirtualFrame {
  readonly type: string;
  readonly session_id?: number | null;
  readonly seq?: number | null;
  readonly feed_seq?: number;
  readonly cursor?: string;
  readonly data: Record<string, unknown>;
}

function readPoll(bytes: Buffer): string[] {
  const events: unknown = JSON.parse(`[${bytes.toString('utf8').slice(0, -1)}]`);
  return Array.isArray(events) ? events.map((event) => JSON.stringify(event)) : [];
}

const READERS = { websocket: readWebSocket, sse: readSse, poll: readPoll };

/** The common part of all client transports in memory. */
class VirtualTransport {
  queuedBytes = 0;
  enqueuedBytes = 0;
  readonly client: VirtualClient;
  readonly #drained: (() => void)[] = [];

  constructor(client: VirtualClient) {
    this.client = client;
  }

  write(bytes: Buffer): number {
    this.enqueuedBytes += bytes.length;
    if (this.client.isSlow) this.queuedBytes += bytes.length;
    this.client.take(bytes);
    return this.queuedBytes;
  }

  whenDrained(listener: () => void): void {
    this.#drained.push(listener);
  }

  drain(): void {
    this.queuedBytes = 0;
    for (const listener of this.#drained.splice(0)) listener();
  }

  close(reason: CloseReason): void {
    this.client.wasClosed(reason);
  }

  destroy(): void {
    this.client.cut();
  }
}

class VirtualSocket extends VirtualTransport implements WebSocketTransportPort {
  readonly kind = 'websocket';

  ping(): void {
    this.client.wasPinged();
  }
}

class VirtualStream extends VirtualTransport implements SseTransportPort {
  readonly kind = 'sse';

  ping(): void {}
}

/** Collects its frames, like the real one. */
class VirtualPoll extends VirtualTransport implements PollTransportPort {
  readonly kind = 'poll';
  readonly waitMs: number;

  constructor(client: VirtualClient, waitMs: number) {
    super(client);
    this.waitMs = waitMs;
  }

  override write(bytes: Buffer): number {
    super.write(bytes);
    this.queuedBytes = this.enqueuedBytes;
    return this.queuedBytes;
  }

  override whenDrained(listener: () => void): void {
    queueMicrotask(listener);
  }

  finish(answer: PollAnswer): void {
    this.client.answer ??= answer;
  }

  refuse(code: ErrorCode): void {
    this.client.refusal ??= code;
  }
}

/** One client on a transport in memory. Frames arrive at once, unless its reader is slow. */
export class VirtualClient {
  readonly frames: VirtualFrame[] = [];
  /** Called with each frame as it arrives. */
  onFrame: ((frame: VirtualFrame) => void) | null = null;
  /** Why it has ended; `gone`: it was cut. */
  closed: CloseReason | 'gone' | null = null;
  answer: PollAnswer | null = null;
  refusal: ErrorCode | null = null;
  isSlow = false;
  /** False: it is dead, though its socket is open. */
  answersPings = true;
  pings = 0;
  readonly connection: Connection;
  readonly #core: GatewayCore;
  readonly #transport: VirtualSocket | VirtualStream | VirtualPoll;

  constructor(core: GatewayCore, kind: TransportKind, waitMs = 0) {
    this.#core = core;
    if (kind === 'poll') this.#transport = new VirtualPoll(this, waitMs);
    else this.#transport = kind === 'sse' ? new VirtualStream(this) : new VirtualSocket(this);
    const transport: Transport = this.#transport;
    this.connection = core.registry.open(transport);
  }

  get isOver(): boolean {
    return this.closed !== null || this.answer !== null || this.refusal !== null;
  }

  of(type: string): VirtualFrame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  get seqs(): number[] {
    return this.frames.flatMap(({ seq }) => (typeof seq === 'number' ? [seq] : []));
  }

  send(frame: object): void {
    this.#core.edge.receive(this.connection, JSON.stringify(frame));
  }

  /** The peer is silently gone. */
  cut(): void {
    this.closed ??= 'gone';
    this.#core.registry.closed(this.connection, 1006);
  }

  /** A slow reader reads everything and is no longer slow. */
  drain(): void {
    this.isSlow = false;
    this.#transport.drain();
  }

  take(bytes: Buffer): void {
    if (this.closed !== null) return;
    for (const text of READERS[this.#transport.kind](bytes)) {
      const frame: VirtualFrame = JSON.parse(text);
      this.frames.push(frame);
      this.onFrame?.(frame);
    }
  }

  wasClosed(reason: CloseReason): void {
    this.closed ??= reason;
    queueMicrotask(() => this.#core.registry.closed(this.connection, CLOSE_CODES[reason].code));
  }

  wasPinged(): void {
    this.pings += 1;
    if (this.answersPings) queueMicrotask(() => this.#core.edge.ponged(this.connection));
  }
}
