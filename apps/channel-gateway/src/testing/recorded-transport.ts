import type { CloseReason, ErrorCode } from '@chat-realtime/protocol';
import type { PollAnswer, PollTransportPort, WebSocketTransportPort } from '../connections/transport.ts';
import { readWebSocket } from './read-frames.ts';
import type { VirtualFrame } from './virtual-client.ts';

/** The common part of all transports here: it records its calls, for parts that are tested without a core. */
class RecordedTransport {
  /** The bytes its reader has not accepted; set by a test. */
  queuedBytes = 0;
  enqueuedBytes = 0;
  closed: CloseReason | null = null;
  destroyed = false;
  readonly #drained: (() => void)[] = [];

  whenDrained(listener: () => void): void {
    this.#drained.push(listener);
  }

  drain(): void {
    this.queuedBytes = 0;
    for (const listener of this.#drained.splice(0)) listener();
  }

  close(reason: CloseReason): void {
    this.closed = reason;
  }

  destroy(): void {
    this.destroyed = true;
  }
}

export class RecordedSocket extends RecordedTransport implements WebSocketTransportPort {
  readonly kind = 'websocket';
  readonly frames: VirtualFrame[] = [];
  pings = 0;

  write(bytes: Buffer): number {
    this.enqueuedBytes += bytes.length;
    for (const text of readWebSocket(bytes)) this.frames.push(JSON.parse(text));
    return this.queuedBytes;
  }

  ping(): void {
    this.pings += 1;
  }
}

export class RecordedPoll extends RecordedTransport implements PollTransportPort {
  readonly kind = 'poll';
  readonly waitMs: number;
  answer: PollAnswer | null = null;
  refusal: ErrorCode | null = null;

  constructor(waitMs: number) {
    super();
    this.waitMs = waitMs;
  }

  write(bytes: Buffer): number {
    this.enqueuedBytes += bytes.length;
    this.queuedBytes = this.enqueuedBytes;
    return this.queuedBytes;
  }

  finish(answer: PollAnswer): void {
    this.answer = answer;
  }

  refuse(code: ErrorCode): void {
    this.refusal = code;
  }
}
