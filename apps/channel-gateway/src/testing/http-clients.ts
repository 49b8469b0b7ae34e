import { eventually, type Frame } from './socket-client.ts';

export interface SseEvent {
  readonly id: string | null;
  readonly frame: Frame;
}

/** A reader of server-sent events that follows the text of the standard, so that a wrong line is noticed. */
export class StreamClient {
  readonly events: SseEvent[] = [];
  readonly comments: string[] = [];
  readonly unknownFields: string[] = [];
  status: number | null = null;
  headers = new Headers();
  body: unknown = null;
  retryMs: number | null = null;
  ended = false;
  readonly #abort = new AbortController();
  readonly done: Promise<void>;

  readonly #onFrame: (frame: Frame) => void;

  constructor(url: string, headers: Record<string, string> = {}, onFrame: (frame: Frame) => void = () => undefined) {
    this.#onFrame = onFrame;
    this.done = this.#run(url, headers);
  }

  seqs(): number[] {
    return this.events.map(({ frame }) => frame.seq ?? null).filter((seq) => seq !== null);
  }

  async waitFor(type: string, timeoutMs = 5_000): Promise<SseEvent> {
    return eventually(
      () => this.events.find(({ frame }) => frame.type === type),
      () => `stream frame ${type}; ${this.#seen()}`,
      timeoutMs,
    );
  }

  async waitForSeq(seq: number, timeoutMs = 5_000): Promise<void> {
    await eventually(
      () => this.seqs().includes(seq) || undefined,
      () => `stream seq ${seq}; ${this.#seen()}`,
      timeoutMs,
    );
  }

  close(): void {
    this.#abort.abort();
  }

  #seen(): string {
    const had = this.events.slice(-40).map(({ frame }) => frame.seq ?? frame.type);
    return `had ${had.join(' ') || 'nothing'}; HTTP ${this.status} ${JSON.stringify(this.body)}, ${this.ended ? 'ended' : 'open'}`;
  }

  async #run(url: string, headers: Record<string, string>): Promise<void> {
    try {
      const response = await fetch(url, { headers, signal: this.#abort.signal });
      this.status = response.status;
      this.headers = response.headers;
      if (response.status !== 200 || response.body === null) {
        this.body = await response.json();
        return;
      }
      let text = '';
      const decoder = new TextDecoder();
      for await (const chunk of response.body) {
        text += decoder.decode(chunk, { stream: true });
        for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
          this.#block(text.slice(0, end));
          text = text.slice(end + 2);
        }
      }
    } catch (error) {
      if (!(error instanceof Error) || (error.name !== 'AbortError' && !(error instanceof TypeError))) throw error;
    } finally {
      this.ended = true;
    }
  }

  #block(block: string): void {
    let id: string | null = null;
    let data: string | null = null;
    for (const line of block.split(/\r\n|\r|\n/)) {
      if (line.startsWith(':')) this.comments.push(line);
      else if (line.startsWith('id: ')) id = line.slice(4);
      else if (line.startsWith('data: ')) data = line.slice(6);
      else if (line.startsWith('retry: ')) this.retryMs = Number(line.slice(7));
      else if (line !== '') this.unknownFields.push(line);
    }
    if (data === null) return;
    const frame: Frame = JSON.parse(data);
    this.events.push({ id, frame });
    this.#onFrame(frame);
  }
}

export interface PollResult {
  readonly status: number;
  readonly headers: Headers;
  readonly body: {
    events: Frame[];
    last_seq: number | null;
    has_more: boolean;
    cursor?: string;
    error?: { code: string };
  };
}

export async function poll(url: string, headers: Record<string, string> = {}): Promise<PollResult> {
  const response = await fetch(url, { headers });
  const body: PollResult['body'] = JSON.parse(await response.text());
  return { status: response.status, headers: response.headers, body };
}
