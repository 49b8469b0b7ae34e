import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { runInNewContext } from 'node:vm';
import { tempFolder } from '@chat-realtime/testkit';
import { beforeEach, describe, expect, it } from 'vitest';
import { KEEPS_SEQ, STEPS } from '../support/php-site.ts';

const ROOT = new URL('../../', import.meta.url).pathname;
const EXAMPLE = join(ROOT, 'examples/php-site');
const GUIDES = ['docs/guides/existing-site.md', 'docs/guides/existing-site.ru.md'] as const;
const ADDRESS = 'wss://site.example/channel/ws';

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)))
    .toSorted();

/** The example as these steps leave it. */
function patched(steps: readonly string[]): string {
  const folder = join(tempFolder('site-steps'), 'site');
  cpSync(EXAMPLE, folder, { recursive: true });
  for (const step of steps) execFileSync('git', ['apply', '-p1', `steps/${step}.patch`], { cwd: folder });
  return folder;
}

/** The guide's own lines for a customer's page, as they stand. */
function printed(guide: string): string {
  const blocks = [...readFileSync(join(ROOT, guide), 'utf8').matchAll(/```js\n(.*?)```/gs)].map(
    ([, body = '']) => body,
  );
  const found = blocks.filter((body) => body.includes('chatChannel'));
  if (found.length !== 1) throw new Error(`${guide}: ${found.length} blocks open a channel`);
  return found[0] ?? '';
}

const code = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('//'));

describe('code to copy from the guide', () => {
  it.each([
    ['files', STEPS],
    ['level-1-files', [KEEPS_SEQ]],
  ] as const)('is in steps/%s, as the patches produce it', (name, steps) => {
    const copies = join(EXAMPLE, 'steps', name);
    const site = patched(steps);
    const added = filesOf(site).filter((file) => !filesOf(EXAMPLE).includes(file));
    expect(filesOf(copies)).toEqual(added);
    for (const file of added)
      expect(readFileSync(join(copies, file), 'utf8'), file).toBe(readFileSync(join(site, file), 'utf8'));
  });

  it.each(GUIDES)('is in %s, line for line', (guide) => {
    const page = code(readFileSync(join(patched(STEPS.slice(0, 2)), 'public/chat.js'), 'utf8'));
    const lines = code(printed(guide));
    const from = page.indexOf(lines[0] ?? '');
    expect(page.slice(from, from + lines.length)).toEqual(lines);
  });
});

/** What a page's script sees of a WebSocket; the test moves it by hand. */
class Socket {
  readonly sent: string[] = [];
  readyState = 0;
  onopen = (): void => undefined;
  onmessage: ((event: { data: string }) => void) | null = null;
  onclose: (event: { code: number }) => void = () => undefined;

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 3;
  }
}

const socketClass = (opened: (socket: Socket) => void): typeof Socket =>
  class extends Socket {
    constructor() {
      super();
      opened(this);
    }
  };

interface Question {
  readonly path: string;
  readonly answer: (value: unknown) => void;
}

/** A page with the printed block and `channel.js`: every request, timer and socket is moved by hand. */
class Page {
  readonly sockets: Socket[] = [];
  readonly timers: { readonly run: () => void; readonly ms: number }[] = [];
  readonly intervals: { readonly run: () => void; readonly ms: number }[] = [];
  readonly questions: Question[] = [];
  readonly posts: { readonly url: string; readonly body: unknown }[] = [];
  readonly shown: number[] = [];
  readonly messages: number[] = [1];
  now = 1_000_000;

  constructor(block: string, address = ADDRESS) {
    const { sockets } = this;
    const context = {
      id: 5,
      since: 0,
      window: {} as object,
      document: { getElementById: () => ({ dataset: { address } }) },
      show: ({ id }: { id: number }) => {
        this.shown.push(id);
        context.since = id;
      },
      call: (path: string) =>
        new Promise((answer) => {
          this.questions.push({ path, answer });
        }),
      fetch: (url: string, { body }: { body: string }) => {
        this.posts.push({ url, body: JSON.parse(body) as unknown });
        return Promise.resolve({ ok: true });
      },
      setTimeout: (run: () => void, ms: number) => this.timers.push({ run, ms }),
      setInterval: (run: () => void, ms: number) => this.intervals.push({ run, ms }),
      clearInterval: () => undefined,
      Date: { now: () => this.now },
      WebSocket: socketClass((socket) => sockets.push(socket)),
    };
    runInNewContext(readFileSync(join(EXAMPLE, 'steps/files/public/channel.js'), 'utf8'), context);
    runInNewContext(block, context);
  }

  get socket(): Socket {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }

  /** How many of the page's own questions are unanswered. */
  get asking(): number {
    return this.questions.filter(({ path }) => path.includes('since_id')).length;
  }

  /** The site answers everything that is asked now, as its tables are now. */
  async answer(): Promise<void> {
    for (const { path, answer } of this.questions.splice(0)) {
      const since = Number(/since_id=(\d+)/.exec(path)?.[1]);
      const messages = this.messages.filter((id) => id > since).map((id) => ({ id }));
      answer(path.endsWith('channel-token') ? { token: 't' } : { messages });
    }
    await new Promise(setImmediate);
  }

  async opens(delivered = 0): Promise<void> {
    await this.answer();
    this.socket.readyState = 1;
    this.socket.onopen();
    this.hears({ type: 'channel.ready', data: { session_id: 5, state: { client: { delivered_id: delivered } } } });
    await this.answer();
  }

  hears(frame: object): void {
    this.socket.onmessage?.({ data: JSON.stringify(frame) });
  }

  /** A message is committed, and the channel tells of it. */
  rings(id: number): void {
    this.messages.push(id);
    this.hears({ type: 'chat.message', session_id: 5, seq: id, data: { id } });
  }

  async closes(closeCode: number): Promise<void> {
    this.socket.onclose({ code: closeCode });
    await new Promise(setImmediate);
  }

  /** The page's timer, after five seconds more. */
  tick(): void {
    this.now += 5_000;
    for (const { run, ms } of this.intervals) if (ms === 5_000) run();
  }
}

describe.each(GUIDES)('the page of %s', (guide) => {
  let page: Page;
  beforeEach(async () => {
    page = new Page(printed(guide));
    await page.opens();
  });

  it('shows each message once when two arrive within one round trip', async () => {
    page.rings(2);
    page.rings(3);
    expect(page.asking).toBe(1);
    await page.answer();
    await page.answer();
    expect(page.shown).toEqual([1, 2, 3]);
    expect(page.asking).toBe(0);
  });

  it('requests again when an event arrives during a request', async () => {
    page.rings(2);
    const [question] = page.questions.splice(0);
    page.rings(3);
    // Read before the third was there.
    question?.answer({ messages: [{ id: 2 }] });
    await new Promise(setImmediate);
    await page.answer();
    expect(page.shown).toEqual([1, 2, 3]);
  });

  it('keeps requesting while an answer is full', async () => {
    page.messages.push(...Array.from({ length: 250 }, (_, index) => index + 2));
    page.hears({ type: 'chat.session.status', session_id: 5, seq: 2, data: {} });
    page.questions.splice(0)[0]?.answer({ messages: page.messages.slice(1, 201).map((id) => ({ id })) });
    await new Promise(setImmediate);
    await page.answer();
    expect(page.shown).toEqual(page.messages);
  });

  it('requests nothing for typing, read marks, and known messages', async () => {
    for (const type of ['chat.typing', 'chat.read', 'chat.presence', 'chat.alert'])
      page.hears({ type, session_id: 5, seq: null, data: {} });
    page.hears({ type: 'chat.message', session_id: 5, seq: 2, data: { id: 1 } });
    expect(page.asking).toBe(0);
  });

  it('polls once a minute while the channel is healthy, and every 5 s while it is not', async () => {
    for (let ticks = 1; ticks <= 12; ticks += 1) page.tick();
    expect(page.asking).toBe(0);
    page.tick();
    expect(page.asking).toBe(1);
    await page.answer();
    page.hears({ type: 'channel.degraded', data: { reason: 'source_unavailable' } });
    page.messages.push(2);
    page.tick();
    await page.answer();
    expect(page.shown).toEqual([1, 2]);
    page.hears({ type: 'channel.restored', data: {} });
    await page.answer();
    page.tick();
    expect(page.asking).toBe(0);
    await page.closes(1006);
    page.tick();
    expect(page.asking).toBe(1);
  });

  it('acknowledges over the socket what came through it, and by a request what did not', async () => {
    // The first message was there before the socket.
    expect(page.posts).toEqual([{ url: 'https://site.example/channel/ack?session=5', body: { last_id: 1 } }]);
    page.rings(2);
    await page.answer();
    expect(page.socket.sent.at(-1)).toBe('{"type":"ack","last_id":2}');
    await page.closes(4530);
    page.messages.push(3);
    page.tick();
    await page.answer();
    page.tick();
    await page.answer();
    expect(page.posts.slice(1)).toEqual([{ url: 'https://site.example/channel/ack?session=5', body: { last_id: 3 } }]);
  });

  it('retries the channel of a new chat within a moment, and once a minute if it is refused', async () => {
    await page.closes(4504);
    expect(page.timers.at(-1)?.ms).toBeLessThanOrEqual(500);
    page.timers.at(-1)?.run();
    await page.answer();
    await page.closes(4530);
    expect(page.timers.at(-1)?.ms).toBeGreaterThanOrEqual(30_000);
    // The token is asked of the site once, until it is refused.
    page.timers.at(-1)?.run();
    expect(page.questions).toEqual([]);
    await page.answer();
    await page.closes(4401);
    page.timers.at(-1)?.run();
    expect(page.questions.map(({ path }) => path)).toEqual(['/chat/5/channel-token']);
  });

  it('treats a socket that does not answer as closed', async () => {
    const alive = page.intervals.find(({ ms }) => ms === 15_000);
    for (let times = 0; times < 3; times += 1) alive?.run();
    await new Promise(setImmediate);
    page.tick();
    expect(page.asking).toBe(1);
  });
});

it('a page whose site names no channel polls as before', async () => {
  const page = new Page(printed(GUIDES[0]), '');
  await page.answer();
  page.messages.push(2);
  page.tick();
  await page.answer();
  expect(page.shown).toEqual([1, 2]);
  expect(page.sockets).toEqual([]);
});

it('requests nothing that the page has already acknowledged', async () => {
  const page = new Page(printed(GUIDES[0]));
  await page.opens(1);
  expect(page.posts).toEqual([]);
});

describe('a staff page of the example', () => {
  const badges = new Map<string, { textContent: unknown }>();
  const dispatched: unknown[] = [];
  const asked: string[] = [];
  let socket: Socket | null = null;
  let tick: () => void = () => undefined;
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  const hears = (frame: object): void => socket?.onmessage?.({ data: JSON.stringify(frame) });

  beforeEach(async () => {
    for (const list of [dispatched, asked]) list.length = 0;
    for (const id of ['badge-new', 'badge-mine']) badges.set(id, { textContent: '' });
    const context = {
      window: {} as object,
      sessionStorage: { getItem: () => null, setItem: () => undefined },
      document: { getElementById: (id: string) => badges.get(id) ?? { dataset: { address: ADDRESS } } },
      fetch: (path: string) => {
        asked.push(path);
        const body = path.includes('token') ? { access_token: 'jwt' } : { unassigned: 4, mine: 3, latest_new: 9 };
        return Promise.resolve({ ok: true, json: () => Promise.resolve(body) });
      },
      dispatchEvent: ({ detail }: { detail: unknown }) => dispatched.push(detail),
      CustomEvent: class {
        readonly detail: unknown;
        constructor(_type: string, { detail }: { detail: unknown }) {
          this.detail = detail;
        }
      },
      setTimeout: () => undefined,
      clearInterval: () => undefined,
      setInterval: (run: () => void, ms: number) => {
        if (ms === 5_000) tick = run;
      },
      WebSocket: socketClass((opened) => {
        socket = opened;
      }),
    };
    const site = patched(STEPS);
    for (const file of ['channel.js', 'alerts.js'])
      runInNewContext(readFileSync(join(site, 'public', file), 'utf8'), context);
    await settle();
    hears({ type: 'channel.ready', data: { user_id: '7', state: {} } });
    await settle();
    asked.length = 0;
    dispatched.length = 0;
  });

  it('counts from the frames, without requests to the site', async () => {
    hears({
      type: 'chat.alert',
      seq: null,
      data: { reason: 'badge', unassigned_unread: 2, mine_unread: { 7: 1, 8: 5 } },
    });
    expect([...badges.values()].map(({ textContent }) => textContent)).toEqual([2, 1]);
    hears({ type: 'chat.alert', seq: null, data: { reason: 'badge', unassigned_unread: 0, mine_unread: {} } });
    expect([...badges.values()].map(({ textContent }) => textContent)).toEqual([0, 0]);
    for (let seq = 1; seq <= 50; seq += 1)
      hears({ type: 'chat.message.client', session_id: seq, seq, data: { id: seq } });
    for (const type of ['chat.read', 'chat.typing', 'chat.presence'])
      hears({ type, session_id: 5, seq: null, data: {} });
    tick();
    await settle();
    expect(asked).toEqual([]);
    // Each of the events rings for the page of its own chat alone.
    expect(dispatched).toEqual(Array.from({ length: 50 }, (_, index) => ({ chat: index + 1, message: index + 1 })));
  });

  it('polls its own counter while the channel is not healthy', async () => {
    hears({ type: 'channel.degraded', data: { reason: 'source_unavailable' } });
    tick();
    await settle();
    expect(asked).toEqual(['/chat/alerts?since=9']);
    expect([...badges.values()].map(({ textContent }) => textContent)).toEqual([4, 3]);
  });
});
