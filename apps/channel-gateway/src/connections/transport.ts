import type { CloseReason, ErrorCode } from '@chat-realtime/protocol';

interface TransportBase {
  /** Bytes passed to `write` that the kernel has not accepted yet. */
  readonly queuedBytes: number;
  /** All bytes ever passed to `write`, so that `enqueuedBytes - queuedBytes` grows while the peer reads. */
  readonly enqueuedBytes: number;
  /**
   * Whole encoded frames in this transport's encoding. The buffer is shared with other connections: never write into
   * it. Returns `queuedBytes` after the write.
   */
  write(bytes: Buffer): number;
  /** Calls once when everything queued has left. */
  whenDrained(listener: () => void): void;
  /** Sends the peer the reason and ends; the core destroys it if that takes too long. */
  close(reason: CloseReason): void;
  destroy(): void;
}

export interface WebSocketTransportPort extends TransportBase {
  readonly kind: 'websocket';
  ping(): void;
}

export interface SseTransportPort extends TransportBase {
  readonly kind: 'sse';
  /** A comment line: keeps proxies from cutting an idle stream. */
  ping(): void;
}

export interface PollAnswer {
  readonly lastSeq: number | null;
  readonly hasMore: boolean;
  readonly cursor?: string;
}

/** One request: `write` collects events, `finish` answers. */
export interface PollTransportPort extends TransportBase {
  readonly kind: 'poll';
  /** Milliseconds to wait for a first event; 0 answers at once. */
  readonly waitMs: number;
  finish(answer: PollAnswer): void;
  refuse(code: ErrorCode): void;
}

export type Transport = WebSocketTransportPort | SseTransportPort | PollTransportPort;
