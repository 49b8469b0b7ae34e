import type { IncomingMessage } from 'node:http';
import WebSocket from 'ws';
import { describeFrames, type Frame, type FramePredicate, ofType, parseFrame } from './frame.ts';
import { DEFAULT_WAIT_MS, FrameLog } from './frame-log.ts';
import { query } from './http-client.ts';

export interface WebSocketOptions {
  /** Query of `/channel/ws`; none at all means a first frame with `auth`. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly path?: string;
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly localAddress?: string | undefined;
  /** False: the client never answers a ping, as behind a dead link. */
  readonly autoPong?: boolean;
  readonly timeoutMs?: number;
}

export interface CloseEvent {
  readonly code: number;
  readonly reason: string;
  readonly at: number;
}

/** The server answered the upgrade with a status instead of 101. */
export class UpgradeRefused extends Error {
  override readonly name = 'UpgradeRefused';
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;

  constructor(status: number, headers: IncomingMessage['headers'], body: string) {
    super(`upgrade refused with ${status}: ${body.slice(0, 300)}`);
    this.status = status;
    this.headers = headers;
    this.body = body;
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (chunk instanceof Uint8Array) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** A WebSocket that writes down every frame, ping and the close code. */
export class WebSocketClient {
  readonly log = new FrameLog();
  readonly pings: number[] = [];
  readonly socket: WebSocket;
  readonly #closed: Promise<CloseEvent>;
  #closeEvent: CloseEvent | undefined;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data, isBinary) => {
      if (isBinary) throw new Error('the server sent a binary frame');
      this.log.push(parseFrame(data.toString()));
    });
    socket.on('ping', () => this.pings.push(Date.now()));
    this.#closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#closeEvent = { code, reason: reason.toString('utf8'), at: Date.now() };
        this.log.end(`the connection closed with ${code} ${this.#closeEvent.reason}`);
        resolve(this.#closeEvent);
      });
    });
    // A close always follows; the code it brings is what tests look at.
    socket.on('error', () => undefined);
  }

  /** Resolves after 101, before any frame; rejects with {@link UpgradeRefused} or a connection error. */
  static open(baseUrl: string, options: WebSocketOptions = {}): Promise<WebSocketClient> {
    const url = `${baseUrl.replace(/^http/, 'ws')}${options.path ?? '/channel/ws'}${query(options.query ?? {})}`;
    const socket = new WebSocket(url, [...(options.protocols ?? [])], {
      perMessageDeflate: false,
      headers: options.headers,
      autoPong: options.autoPong ?? true,
      handshakeTimeout: options.timeoutMs ?? 10_000,
      ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
    });
    const client = new WebSocketClient(socket);
    return new Promise((resolve, reject) => {
      socket.on('open', () => resolve(client));
      socket.on('error', reject);
      socket.on('unexpected-response', (_request, response) => {
        readAll(response).then(
          (body) => reject(new UpgradeRefused(response.statusCode ?? 0, response.headers, body)),
          reject,
        );
      });
    });
  }

  /** Opens and waits for `channel.ready`. */
  static async ready(baseUrl: string, options: WebSocketOptions = {}): Promise<WebSocketClient> {
    const client = await WebSocketClient.open(baseUrl, options);
    await client.ready();
    return client;
  }

  get frames(): readonly Frame[] {
    return this.log.frames;
  }

  get closeEvent(): CloseEvent | undefined {
    return this.#closeEvent;
  }

  ready(timeoutMs = DEFAULT_WAIT_MS): Promise<Frame> {
    return this.waitFor(ofType('channel.ready'), { timeoutMs, label: 'channel.ready' });
  }

  waitFor(
    predicate: FramePredicate,
    options: { timeoutMs?: number; from?: number; label?: string } = {},
  ): Promise<Frame> {
    return this.log.waitFor(predicate, options);
  }

  /** The close code; a connection that stays open is a failure. */
  closed(timeoutMs = DEFAULT_WAIT_MS): Promise<CloseEvent> {
    if (this.#closeEvent !== undefined) return Promise.resolve(this.#closeEvent);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`still open after ${timeoutMs} ms; got:\n${describeFrames(this.frames)}`)),
        timeoutMs,
      );
      void this.#closed.then((event) => {
        clearTimeout(timer);
        resolve(event);
      });
    });
  }

  send(frame: Readonly<Record<string, unknown>>): void {
    this.socket.send(JSON.stringify(frame));
  }

  sendText(text: string): void {
    this.socket.send(text);
  }

  sendBinary(data: Buffer): void {
    this.socket.send(data, { binary: true });
  }

  /** Asks and waits for the answer: everything the server had queued before has arrived then. */
  async roundTrip(timeoutMs = DEFAULT_WAIT_MS): Promise<void> {
    const from = this.log.frames.length;
    this.send({ type: 'ping' });
    await this.waitFor(ofType('channel.pong'), { from, timeoutMs, label: 'channel.pong' });
  }

  async close(): Promise<void> {
    this.socket.close(1000);
    await this.closed().catch(() => this.socket.terminate());
  }

  /** Like a pulled cable, but at once: no close frame. */
  terminate(): void {
    this.socket.terminate();
  }
}
