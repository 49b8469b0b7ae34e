import {
  ChatError,
  CLOSE_CODES,
  type CloseReason,
  closeReason,
  ERROR_CODES,
  type ErrorCode,
} from '@chat-realtime/protocol';
import { ackByPost } from '../channel/ack-by-post.ts';
import { readCredentials } from '../channel/parameters.ts';
import { httpRefusal, lastingRefusal } from '../channel/refusals.ts';
import type { Connection } from '../connections/connection.ts';
import type { Credentials } from '../connections/credentials.ts';
import { encodeFor, jsonFrame } from '../connections/encoding.ts';
import type {
  PollAnswer,
  PollTransportPort,
  SseTransportPort,
  WebSocketTransportPort,
} from '../connections/transport.ts';
import type { TransportKind } from '../core-metrics.ts';
import type { GatewayCore } from '../core.ts';
import type { Verifier } from '../ports.ts';
import { readWebSocket } from './read-frames.ts';

/** An HTTP answer that is not a stream. */
export interface EdgeAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly retryAfter?: number;
}

/** The network's end of a connection: it carries what the gateway writes. */
interface Peer {
  /** Bytes that have not reached the other side yet. */
  readonly queuedBytes: number;
  /** It breaks silently. */
  readonly destroy: () => void;
}
export interface SocketPeer extends Peer {
  readonly send: (text: string) => void;
  /** Leads to `closed`. */
  readonly close: (code: number) => void;
  /** A protocol ping, which the other side's library answers automatically. */
  readonly ping: () => void;
}
export interface StreamPeer extends Peer {
  /** A piece of the body; the first one opens the stream. */
  readonly write: (text: string) => void;
  readonly end: () => void;
  readonly refuse: (answer: EdgeAnswer) => void;
}
export interface PollPeer {
  readonly destroy: () => void;
  readonly answer: (answer: EdgeAnswer) => void;
}

/** One connection as the network and a test see it. */
export interface EdgeConnection {
  readonly id: string;
  readonly transport: TransportKind;
  /** A text frame from the client. */
  readonly receive: (text: string) => void;
  readonly ponged: () => void;
  /** The network has carried everything it got. */
  readonly drained: () => void;
  /** The client's end is gone. */
  readonly closed: () => void;
  /** Lets a test send a frame from the gateway. */
  readonly send: (frame: unknown) => void;
  /** Lets a test close it from the gateway, also with a code of a later version. */
  readonly close: (code: number) => void;
}

function errorAnswer({ status, code, message, retryAfterSeconds }: ChatError): EdgeAnswer {
  const body = { error: { code, message, request_id: 'memory' } };
  return { status, body, ...(retryAfterSeconds !== undefined && { retryAfter: retryAfterSeconds }) };
}

/** The common part of all transports here. */
abstract class MemoryTransport {
  enqueuedBytes = 0;
  #drained: (() => void)[] = [];

  whenDrained(listener: () => void): void {
    this.#drained.push(listener);
  }

  drained(): void {
    const listeners = this.#drained;
    this.#drained = [];
    for (const listener of listeners) listener();
  }
}

class MemorySocket extends MemoryTransport implements WebSocketTransportPort {
  readonly kind = 'websocket';
  readonly peer: SocketPeer;

  constructor(peer: SocketPeer) {
    super();
    this.peer = peer;
  }

  get queuedBytes(): number {
    return this.peer.queuedBytes;
  }

  write(bytes: Buffer): number {
    this.enqueuedBytes += bytes.length;
    for (const text of readWebSocket(bytes)) this.peer.send(text);
    return this.queuedBytes;
  }

  ping(): void {
    this.peer.ping();
  }

  close(reason: CloseReason): void {
    this.peer.close(CLOSE_CODES[reason].code);
  }

  destroy(): void {
    this.peer.destroy();
  }
}

class MemoryStream extends MemoryTransport implements SseTransportPort {
  readonly kind = 'sse';
  readonly peer: StreamPeer;
  #opened = false;

  constructor(peer: StreamPeer) {
    super();
    this.peer = peer;
  }

  get queuedBytes(): number {
    return this.peer.queuedBytes;
  }

  write(bytes: Buffer): number {
    this.#opened = true;
    this.enqueuedBytes += bytes.length;
    this.peer.write(bytes.toString('utf8'));
    return this.queuedBytes;
  }

  ping(): void {
    this.write(Buffer.from(':\n\n'));
  }

  close(reason: CloseReason): void {
    const refusal = this.#opened ? null : lastingRefusal(reason);
    if (refusal === null) this.end(CLOSE_CODES[reason].code, reason);
    else this.peer.refuse(errorAnswer(refusal));
  }

  end(code: number, reason = ''): void {
    this.write(Buffer.from(`data: ${JSON.stringify({ type: 'channel.closed', data: { code, reason } })}\n\n`));
    this.peer.end();
  }

  destroy(): void {
    this.peer.destroy();
  }
}

class MemoryPoll extends MemoryTransport implements PollTransportPort {
  readonly kind = 'poll';
  readonly waitMs: number;
  readonly #peer: PollPeer;
  #events = '';

  constructor(peer: PollPeer, waitMs: number) {
    super();
    this.#peer = peer;
    this.waitMs = waitMs;
  }

  get queuedBytes(): number {
    return this.enqueuedBytes;
  }

  write(bytes: Buffer): number {
    this.enqueuedBytes += bytes.length;
    this.#events += bytes.toString('utf8');
    return this.queuedBytes;
  }

  override whenDrained(listener: () => void): void {
    queueMicrotask(listener);
  }

  finish({ lastSeq, hasMore, cursor }: PollAnswer): void {
    const events: unknown = JSON.parse(`[${this.#events.slice(0, -1)}]`);
    const body = { events, last_seq: lastSeq, has_more: hasMore, ...(cursor !== undefined && { cursor }) };
    this.#peer.answer({ status: 200, body });
  }

  refuse(code: ErrorCode): void {
    this.#peer.answer(errorAnswer(new ChatError(code, ERROR_CODES[code].meaning)));
  }

  close(reason: CloseReason): void {
    this.#peer.answer(errorAnswer(httpRefusal(reason)));
  }

  destroy(): void {
    this.#peer.destroy();
  }
}

type MemoryPort = MemorySocket | MemoryStream | MemoryPoll;

/**
 * The gateway's edge towards a network in memory: parses requests, opens connections of the core, and turns its
 * refusals into HTTP answers, all with the same functions as the edge in `channel/`.
 */
export class MemoryEdge {
  readonly #core: () => GatewayCore;
  readonly #verifier: () => Verifier;
  readonly #open = new Map<Connection, EdgeConnection>();

  constructor(core: () => GatewayCore, verifier: () => Verifier) {
    this.#core = core;
    this.#verifier = verifier;
  }

  get connections(): EdgeConnection[] {
    for (const connection of this.#open.keys()) if (connection.isOver) this.#open.delete(connection);
    return [...this.#open.values()];
  }

  /** The client authenticates in its first frame. */
  socket(peer: SocketPeer): EdgeConnection {
    const transport = new MemorySocket(peer);
    return this.#connect(transport, null, (code) => peer.close(code));
  }

  /** Null: it was refused at once. */
  stream(query: URLSearchParams, token: string | undefined, peer: StreamPeer): EdgeConnection | null {
    const credentials = this.#credentials(query, token, peer.refuse);
    if (credentials === null) return null;
    const transport = new MemoryStream(peer);
    return this.#connect(transport, credentials, (code) => transport.end(code));
  }

  poll(query: URLSearchParams, token: string | undefined, peer: PollPeer): EdgeConnection | null {
    const credentials = this.#credentials(query, token, peer.answer);
    if (credentials === null) return null;
    const transport = new MemoryPoll(peer, Number(query.get('wait') ?? '0') * 1_000);
    return this.#connect(transport, credentials, () => transport.refuse('unavailable'));
  }

  /** An ack by POST. */
  async ack(
    query: URLSearchParams,
    token: string | undefined,
    body: unknown,
    answer: (answer: EdgeAnswer) => void,
  ): Promise<void> {
    const credentials = this.#credentials(query, token, answer);
    if (credentials === null) return;
    try {
      await ackByPost(this.#core().edge, this.#verifier(), credentials, body);
      answer({ status: 204, body: null });
    } catch (error) {
      if (!(error instanceof ChatError)) throw error;
      answer(errorAnswer(error));
    }
  }

  #credentials(
    query: URLSearchParams,
    token: string | undefined,
    refuse: (answer: EdgeAnswer) => void,
  ): Credentials | null {
    const read = readCredentials(query, { token });
    if (read.kind === 'given') return read.credentials;
    refuse(errorAnswer(new ChatError('missing_credentials', 'a token is needed')));
    return null;
  }

  #connect(transport: MemoryPort, credentials: Credentials | null, end: (code: number) => void): EdgeConnection {
    const { edge, registry } = this.#core();
    const connection = edge.open(transport, credentials);
    const opened: EdgeConnection = {
      id: connection.id,
      transport: transport.kind,
      receive: (text) => edge.receive(connection, text),
      ponged: () => edge.ponged(connection),
      drained: () => transport.drained(),
      closed: () => edge.closed(connection, 1006),
      send(frame) {
        if (transport.kind === 'poll') return;
        registry.write(connection, encodeFor(transport.kind, [jsonFrame(Object(frame))]));
      },
      close(code) {
        const reason = closeReason(code);
        if (reason !== undefined) return edge.close(connection, reason);
        end(code);
        edge.closed(connection, code);
      },
    };
    this.#open.set(connection, opened);
    return opened;
  }
}
