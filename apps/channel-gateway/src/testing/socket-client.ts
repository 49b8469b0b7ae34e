import { WebSocket } from 'ws';

export interface Frame {
  readonly type: string;
  readonly session_id?: number | null;
  readonly seq?: number | null;
  readonly feed_id?: number;
  readonly feed_seq?: number;
  readonly cursor?: string;
  readonly data: Record<string, unknown>;
}

/** A WebSocket client that records everything. */
export class SocketClient {
  readonly socket: WebSocket;
  readonly frames: Frame[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  closeCode: number | null = null;
  httpStatus: number | null = null;
  httpBody = '';

  constructor(
    url: string,
    options: {
      readonly protocols?: string[];
      readonly headers?: Record<string, string>;
      readonly autoPong?: boolean;
    } = {},
  ) {
    const { protocols = [], headers = {}, autoPong = true } = options;
    this.socket = new WebSocket(url, protocols, { headers, autoPong });
    this.socket.on('message', (data) => {
      const frame: Frame = JSON.parse(String(data));
      this.frames.push(frame);
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', (code, reason) => {
        this.closeCode = code;
        resolve({ code, reason: reason.toString() });
      });
    });
    this.socket.on('error', () => undefined);
    this.socket.on('unexpected-response', (_request, response) => {
      this.httpStatus = response.statusCode ?? 0;
      response.on('data', (chunk: Buffer) => {
        this.httpBody += chunk.toString();
      });
      response.on('end', () => this.socket.terminate());
    });
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  seqs(): number[] {
    return this.frames.map((frame) => frame.seq ?? null).filter((seq) => seq !== null);
  }

  find(type: string): Frame | undefined {
    return this.frames.find((frame) => frame.type === type);
  }

  async waitFor(type: string, timeoutMs = 5_000): Promise<Frame> {
    return eventually(
      () => this.find(type),
      () => `frame ${type}; ${this.#seen(this.frames.map((frame) => frame.type))}`,
      timeoutMs,
    );
  }

  async ready(): Promise<Frame> {
    return this.waitFor('channel.ready');
  }

  async waitForSeq(seq: number, timeoutMs = 5_000): Promise<void> {
    await eventually(
      () => this.seqs().includes(seq) || undefined,
      () => `seq ${seq}; ${this.#seen(this.seqs())}`,
      timeoutMs,
    );
  }

  end(): void {
    this.socket.terminate();
  }

  #seen(had: readonly unknown[]): string {
    return `had ${had.slice(-40).join(' ') || 'nothing'}; close ${this.closeCode}, HTTP ${this.httpStatus} ${this.httpBody}`;
  }
}

/** The most that one poll may count: a process that was paused for longer did not wait during the pause. */
const LOOK_MS_MAX = 50;

/**
 * Polls until `read` gives something other than undefined. `what` is asked when time is up. `timeoutMs` of time in
 * which this process itself ran.
 */
export async function eventually<T>(
  read: () => T | undefined,
  what: string | (() => string),
  timeoutMs = 5_000,
): Promise<T> {
  let waited = 0;
  let before = performance.now();
  for (;;) {
    const value = read();
    if (value !== undefined) return value;
    const now = performance.now();
    waited += Math.min(now - before, LOOK_MS_MAX);
    before = now;
    if (waited > timeoutMs) throw new Error(`timed out waiting for ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);
}
