import http from 'node:http';
import { describeFrames, type Frame, type FramePredicate, ofType, parseFrame } from './frame.ts';
import { DEFAULT_WAIT_MS, FrameLog } from './frame-log.ts';

/** One block of the stream as it was written, before it is parsed. */
export interface SseBlock {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: string | undefined;
  readonly retry: string | undefined;
  readonly comments: readonly string[];
  readonly at: number;
}

export interface SseOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly token?: string | undefined;
  readonly localAddress?: string | undefined;
}

export function parseBlock(text: string, at: number): SseBlock {
  const fields: { id?: string; event?: string; retry?: string } = {};
  const data: string[] = [];
  const comments: string[] = [];
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (line === '') continue;
    if (line.startsWith(':')) {
      comments.push(line.slice(1));
      continue;
    }
    const colon = line.indexOf(':');
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'data') data.push(value);
    else if (name === 'id' || name === 'event' || name === 'retry') fields[name] = value;
  }
  return {
    id: fields.id,
    event: fields.event,
    retry: fields.retry,
    data: data.length === 0 ? undefined : data.join('\n'),
    comments,
    at,
  };
}

/** An EventSource that hides nothing: status, headers, ids, comments and the end of the stream. */
export class SseClient {
  readonly log = new FrameLog();
  readonly blocks: SseBlock[] = [];
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** Of the last block with an id: what a native EventSource would send as Last-Event-ID. */
  lastEventId: string | undefined;
  readonly #request: http.ClientRequest;
  readonly #ended: Promise<void>;
  #body = '';
  #pending = '';

  private constructor(request: http.ClientRequest, response: http.IncomingMessage) {
    this.#request = request;
    this.status = response.statusCode ?? 0;
    this.headers = response.headers;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.#take(chunk));
    this.#ended = new Promise((resolve) => {
      const end = (): void => {
        this.log.end(`the stream (HTTP ${this.status}) ended`);
        resolve();
      };
      response.on('end', end);
      response.on('close', end);
      response.on('error', end);
    });
  }

  static open(baseUrl: string, path: string, options: SseOptions = {}): Promise<SseClient> {
    const url = new URL(baseUrl);
    const headers: Record<string, string> = { Accept: 'text/event-stream', ...options.headers };
    if (options.token !== undefined) headers['Authorization'] = `Bearer ${options.token}`;
    return new Promise((resolve, reject) => {
      const request = http.request(
        {
          host: url.hostname,
          port: url.port,
          path,
          headers,
          agent: false,
          ...(options.localAddress === undefined ? {} : { localAddress: options.localAddress }),
        },
        (response) => resolve(new SseClient(request, response)),
      );
      request.on('error', reject);
      request.end();
    });
  }

  static async ready(baseUrl: string, path: string, options: SseOptions = {}): Promise<SseClient> {
    const client = await SseClient.open(baseUrl, path, options);
    await client.waitFor(ofType('channel.ready'), { label: 'channel.ready' });
    return client;
  }

  #take(chunk: string): void {
    this.#body += chunk;
    if (this.status !== 200) return;
    this.#pending += chunk;
    for (;;) {
      const end = /\r\n\r\n|\n\n|\r\r/.exec(this.#pending);
      if (end === null) return;
      const text = this.#pending.slice(0, end.index);
      this.#pending = this.#pending.slice(end.index + end[0].length);
      const block = parseBlock(text, Date.now());
      this.blocks.push(block);
      if (block.id !== undefined) this.lastEventId = block.id;
      if (block.data !== undefined) this.log.push(parseFrame(block.data));
    }
  }

  get frames(): readonly Frame[] {
    return this.log.frames;
  }

  /** The whole body, for answers that are not a stream. */
  get body(): string {
    return this.#body;
  }

  /** The block that contained this frame. */
  blockOf(frame: Frame): SseBlock {
    const block = this.blocks.find((candidate) => candidate.data === frame.raw);
    if (block === undefined) throw new Error('no block has this frame');
    return block;
  }

  waitFor(
    predicate: FramePredicate,
    options: { timeoutMs?: number; from?: number; label?: string } = {},
  ): Promise<Frame> {
    return this.log.waitFor(predicate, options);
  }

  async ended(timeoutMs = DEFAULT_WAIT_MS): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the stream still runs after ${timeoutMs} ms; got:\n${describeFrames(this.frames)}`)),
        timeoutMs,
      );
    });
    await Promise.race([this.#ended, late]);
    clearTimeout(timer);
  }

  close(): void {
    // Aborting a request that has its answer emits an error that nobody needs.
    this.#request.on('error', () => undefined);
    this.#request.destroy();
  }
}
