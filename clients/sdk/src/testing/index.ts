import type { Environment, WebSocketLike } from '../api/environment.ts';

/** Both ends of one WebSocket in memory; nothing moves until it is flushed, so a test decides what the network does. */
export interface SocketPair {
  readonly client: WebSocketLike;
  /** Frames the client has sent and the server has not got yet. */
  readonly up: readonly string[];
  readonly down: readonly string[];
  flushUp(count?: number): number;
  flushDown(count?: number): number;
  close(code: number, reason?: string): void;
}

/** What a virtual machine has: a clock that stands still until it is turned, storage, tabs, and a network to the fake server. */
export interface FakeWorld {
  readonly server: FakeServer;
  environment(tab?: string): Environment;
  advance(ms: number): Promise<void>;
}
export interface FakeServer {
  readonly sockets: readonly SocketPair[];
}
