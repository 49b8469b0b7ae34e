// Talks to a running chat as a client would and writes down what was said. Plain Node 24, none of our own client code,
// so that the transcripts show the wire and not a library.
import { randomUUID } from 'node:crypto';

const WAIT_MS = 20_000;

/** Secrets and whatever differs from run to run get a name that is the same for the same value. */
export class Redactor {
  #names = new Map();
  #secrets = new Map();

  secret(value, name) {
    this.#secrets.set(value, `<${name}>`);
    return value;
  }

  text(text) {
    let result = text;
    for (const [value, name] of this.#secrets) result = result.replaceAll(value, name);
    result = result.replaceAll(
      /"(epoch|connection_id|request_id)":"([^"]+)"/g,
      (_, key, value) => `"${key}":"${this.#name(key, value)}"`,
    );
    result = result.replaceAll(
      /replaces=([0-9a-f-]{36})/g,
      (_, value) => `replaces=${this.#name('connection_id', value)}`,
    );
    return result.replaceAll(
      /"replaces":"([^"]+)"/g,
      (_, value) => `"replaces":"${this.#name('connection_id', value)}"`,
    );
  }

  #name(kind, value) {
    const key = `${kind} ${value}`;
    if (!this.#names.has(key)) {
      const number = [...this.#names.keys()].filter((known) => known.startsWith(`${kind} `)).length + 1;
      this.#names.set(key, `<${kind} ${number}>`);
    }
    return this.#names.get(key);
  }
}

/** One file: `>` the client says, `<` the server says, `x` a connection ends, `#` a remark. */
export class Transcript {
  #lines = [];
  #redactor;

  constructor(redactor) {
    this.#redactor = redactor;
  }

  remark(text) {
    this.#lines.push('', `# ${text}`);
  }

  line(mark, text) {
    this.#lines.push(`${mark} ${this.#redactor.text(text)}`);
  }

  toString() {
    return `${this.#lines.join('\n').trim()}\n`;
  }
}

/** Waits until `condition` gives something. */
export async function until(condition, what) {
  const deadline = Date.now() + WAIT_MS;
  for (;;) {
    const value = condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`waited ${WAIT_MS} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export class Http {
  constructor(baseUrl) {
    this.baseUrl = baseUrl;
  }

  async call(method, path, { token, json, headers = {}, transcript } = {}) {
    const shown = { ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }), ...headers };
    if (transcript !== undefined) {
      const names = Object.entries(shown).map(([name, value]) => `  ${name}: ${value}`);
      transcript.line(
        '>',
        [`${method} ${path}`, ...names, ...(json === undefined ? [] : [`  ${JSON.stringify(json)}`])].join('\n> '),
      );
    }
    const response = await fetch(`${this.baseUrl}${path}`, {
      method,
      headers: { ...shown, ...(json === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    transcript?.line('<', `${response.status}${text === '' ? '' : ` ${text}`}`);
    return { status: response.status, json: text === '' ? undefined : JSON.parse(text) };
  }

  async expect(status, ...request) {
    const answer = await this.call(...request);
    if (answer.status !== status)
      throw new Error(`${request[0]} ${request[1]}: ${answer.status} ${JSON.stringify(answer.json)}`);
    return answer.json;
  }
}

/** A WebSocket whose every frame is written down. */
export class Socket {
  frames = [];
  closed;

  constructor(baseUrl, { query = '', protocols = ['chat.v1'], transcript, shown = protocols }) {
    this.transcript = transcript;
    transcript.line('>', `GET /channel/ws${query}\n>   Sec-WebSocket-Protocol: ${shown.join(', ')}`);
    this.socket = new WebSocket(`${baseUrl.replace(/^http/, 'ws')}/channel/ws${query}`, protocols);
    this.socket.addEventListener('message', ({ data }) => {
      this.frames.push(JSON.parse(data));
      transcript.line('<', data);
    });
    this.socket.addEventListener('close', ({ code, reason }) => {
      this.closed = { code, reason };
      transcript.line('x', `${code} ${reason}`.trim());
    });
    this.socket.addEventListener('error', () => {
      // A close event with its code follows.
    });
  }

  async opened() {
    await until(() => this.socket.readyState === WebSocket.OPEN, 'the WebSocket to open');
  }

  send(frame) {
    const text = JSON.stringify(frame);
    this.transcript.line('>', text);
    this.socket.send(text);
  }

  async frame(predicate, what) {
    return until(() => this.frames.find(predicate), what);
  }

  async close() {
    this.socket.close(1000);
    await until(() => this.closed, 'the WebSocket to close');
  }
}

/** A stream of server-sent events, line by line as it comes. */
export async function openStream(baseUrl, path, { headers = {}, transcript }) {
  const names = Object.entries(headers).map(([name, value]) => `>   ${name}: ${value}`);
  transcript.line('>', [`GET ${path}`, ...names].join('\n'));
  const abort = new AbortController();
  const response = await fetch(`${baseUrl}${path}`, {
    headers: { Accept: 'text/event-stream', ...headers },
    signal: abort.signal,
  });
  transcript.line('<', `${response.status} ${response.headers.get('content-type')}`);
  const stream = { text: '', ended: false, close: () => abort.abort() };
  const decoder = new TextDecoder();
  let shown = '';
  const read = async () => {
    for await (const chunk of response.body) {
      const text = decoder.decode(chunk, { stream: true });
      stream.text += text;
      shown += text;
      const lines = shown.split('\n');
      shown = lines.pop();
      for (const line of lines) transcript.line('<', line);
    }
  };
  void read().then(
    () => {
      stream.ended = true;
      transcript.line('x', 'end of the stream');
    },
    (error) => {
      stream.ended = true;
      if (error.name !== 'AbortError') throw error;
      transcript.line('x', 'the client leaves');
    },
  );
  return stream;
}

export const newId = () => randomUUID();
