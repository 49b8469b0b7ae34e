import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { SiteChat } from '../api/site.ts';
import { createWorld } from '../testing/index.ts';
import { createChatClient } from './client.ts';
import { siteBackend } from './site-backend.ts';

const access = { sessionId: 7, token: 'k1.1762587011.x' };
interface Row {
  id: number | string;
  sender: string;
  body: string | null;
  created_at: string;
  manager?: string;
  files?: readonly object[];
  attachments?: readonly object[];
}

/** A PHP site and the gateway beside it. */
function besideSite(options: Partial<SiteChat> = {}) {
  const rows: Row[] = [];
  const asked: string[] = [];
  const bodies: unknown[] = [];
  const fails: string[] = [];
  /** What was sent as a form, as the site stores it. */
  const stored: { id: string; url: string; name: string; mime: string; size: number }[] = [];
  const forms: { path: string; field: string; headers: HeadersInit | undefined }[] = [];
  let refuses: number | null = null;
  let cookies = 0;
  /** The ledger's responses, if it is called. */
  const beside: { ledger?: (url: URL) => unknown } = {};
  const answer = (method: string, url: URL, body: Record<string, string> | null): unknown => {
    const since = Number(url.searchParams.get('since_id'));
    switch (`${method} ${url.pathname}`) {
      case 'POST /chat/session':
        rows.push({
          id: String(rows.length + 1),
          sender: 'client',
          body: body?.['initial_message'] ?? '',
          created_at: '2026-01-01 00:00:00',
        });
        return { id: '7' };
      case 'GET /chat/7/channel-token':
        return { token: access.token };
      case 'GET /chat/7':
        return { status: 'open', messages: rows.filter(({ id }) => Number(id) > since).slice(0, 3) };
      case 'POST /chat/7/message':
        rows.push({
          id: rows.length + 1,
          sender: 'client',
          body: body?.['body'] ?? null,
          created_at: '2026-01-01 00:00:00',
          attachments: stored.filter(({ id }) => body?.['uploads']?.includes(id)),
        });
        return rows.at(-1);
      case 'GET /channel/poll':
        return { events: [], last_seq: 41, has_more: false };
      case 'POST /chat/7/callback':
        return { ok: true };
      default:
        return null;
    }
  };
  const upload = (url: URL, init: RequestInit | undefined): unknown => {
    if (!(init?.body instanceof FormData) || refuses !== null) return undefined;
    for (const [field, value] of init.body) {
      if (!(value instanceof File)) continue;
      forms.push({ path: url.pathname, field, headers: init.headers });
      const id = String(stored.length + 1);
      stored.push({ id, url: `/upload/${id}`, name: value.name, mime: value.type, size: value.size });
    }
    return { ok: true, file: stored.at(-1) };
  };
  const world = createWorld();
  const backend = siteBackend({
    baseUrl: 'http://site',
    site: {
      baseUrl: 'http://site',
      statuses: { open: 'active' },
      fields: { message: { sender_name: 'manager' } },
      ...options,
    },
    environment: {
      ...world.tab().environment,
      fetch: (input, init) => {
        const url = new URL(String(input));
        const method = init?.method ?? 'GET';
        asked.push(`${method} ${url.pathname}${url.search}`);
        if (init?.credentials === 'same-origin') cookies += 1;
        const body = typeof init?.body === 'string' ? (JSON.parse(init.body) as Record<string, string>) : null;
        if (body) bodies.push(body);
        const found = beside.ledger?.(url) ?? upload(url, init) ?? answer(method, url, body);
        if (refuses !== null && init?.body instanceof FormData)
          return Promise.resolve(new Response('<h1>no</h1>', { status: refuses }));
        const failing = fails.indexOf(url.pathname);
        if (failing >= 0) {
          fails.splice(failing, 1);
          return Promise.reject(new TypeError('the answer was lost'));
        }
        return Promise.resolve(Response.json(found, { status: found === null ? 404 : 200 }));
      },
    },
  });
  const refuse = (status: number | null) => (refuses = status);
  return Object.assign(beside, {
    world,
    backend,
    rows,
    asked,
    bodies,
    fails,
    stored,
    forms,
    refuse,
    cookies: () => cookies,
  });
}

let site: ReturnType<typeof besideSite>;
afterEach(() => {
  site.rows.length = 0;
});

it('reads the whole chat of the site, page by page, and then only requests what is new', async () => {
  site = besideSite();
  for (let id = 1; id <= 7; id += 1)
    site.rows.push({
      id,
      sender: id % 2 ? 'guest' : 'manager',
      body: `m${id}`,
      created_at: '2026-01-01T00:00:00Z',
      manager: 'Ольга',
    });
  expect(await site.backend.session(access)).toMatchObject({ id: 7, status: 'active', last_seq: 41 });
  const page = await site.backend.history(access, { limit: 5 });
  expect([page.messages.map(({ body }) => body), page.has_more]).toEqual([['m3', 'm4', 'm5', 'm6', 'm7'], true]);
  expect(page.messages[1]).toMatchObject({ sender_type: 'operator', sender_name: 'Ольга', attachments: [] });
  expect((await site.backend.history(access, { beforeId: 3, limit: 5 })).messages.map(({ id }) => id)).toEqual([1, 2]);
  site.rows.push({ id: 8, sender: 'manager', body: 'm8', created_at: '2026-01-01T00:00:00Z' });
  site.asked.length = 0;
  await site.world.advance(30_000);
  expect((await site.backend.news(access, 7)).map(({ body }) => body)).toEqual(['m8']);
  expect(site.asked).toEqual(['GET /chat/7?since_id=7', 'GET /chat/7?since_id=8']);
});

it('[BES33] shows a row that became visible after one with a larger id, without reading many rows again', async () => {
  site = besideSite();
  const row = (id: number) => ({ id, sender: 'manager', body: `m${id}`, created_at: '2026-01-01T00:00:00Z' });
  for (let id = 1; id <= 40; id += 1) site.rows.push(row(id));
  await site.backend.session(access);
  await site.backend.history(access, {});
  site.rows.push(row(42));
  expect((await site.backend.news(access, 40)).map(({ id }) => id)).toEqual([42]);
  // Written at the same time, but committed later.
  site.rows.splice(-1, 0, row(41));
  expect((await site.backend.news(access, 42)).map(({ id }) => id)).toEqual([41]);
  expect(await site.backend.news(access, 42)).toEqual([]);
  expect((await site.backend.history(access, { limit: 3 })).messages.map(({ id }) => id)).toEqual([40, 41, 42]);
  const since = () => Math.min(...site.asked.splice(0).map((call) => Number(/since_id=(\d+)/.exec(call)?.[1] ?? 99)));
  site.asked.length = 0;
  await site.backend.news(access, 42);
  expect(since()).toBeGreaterThanOrEqual(20);
  await site.world.advance(30_000);
  await site.backend.news(access, 42);
  expect(since()).toBe(42);
});

it("starts a chat with the site's names and cookie, and recognises its own first message", async () => {
  site = besideSite({ headers: { 'x-csrf-token': 'abc' } });
  const begun = await site.backend.createSession({
    name: 'Пётр',
    phone: '+79991234567',
    resume_key: 'key',
    message: { body: 'Здравствуйте', client_message_id: 'one' },
  });
  expect(site.bodies[0]).toEqual({
    name: 'Пётр',
    external_contact: '+79991234567',
    initial_message: 'Здравствуйте',
    client_message_id: 'one',
  });
  expect(begun).toMatchObject({
    session: { id: 7, last_seq: 0 },
    token: access.token,
    expires_at: '2025-11-09T07:30:11.000Z',
    resume_key: 'key',
    message: { id: 1, body: 'Здравствуйте', client_message_id: 'one', created_at: '2026-01-01T00:00:00.000Z' },
  });
  expect(site.cookies()).toBe(site.asked.length);
});

it('finds a message whose response was lost, and does not send it again', async () => {
  site = besideSite();
  await site.backend.session(access);
  const first = { body: 'да', client_message_id: 'one' };
  site.fails.push('/chat/7/message');
  await expect(site.backend.send(access, first)).rejects.toMatchObject({ code: 'network' });
  expect(await site.backend.send(access, first)).toMatchObject({ id: 1, client_message_id: 'one' });
  // The same text again is another message.
  expect(await site.backend.send(access, { body: 'да', client_message_id: 'two' })).toMatchObject({ id: 2 });
  expect(site.rows).toHaveLength(2);
  const { messages } = await site.backend.history(access, {});
  expect(messages.map((one) => one.client_message_id)).toEqual(['one', 'two']);
});

it('supports other paths, names and senders', async () => {
  site = besideSite({
    paths: { history: 'http://site/chat/{id}?after={since}', callback: '/chat/{id}/callback' },
    fields: { message: { body: 'body', sender: 'sender' }, request: { phone: 'tel' } },
    senders: { visitor_2: 'client', manager: 'operator' },
  });
  site.rows.push({ id: 1, sender: 'visitor_2', body: 'x', created_at: '2026-01-01 03:00:00+03' });
  const { messages } = await site.backend.history(access, {});
  expect(messages[0]).toMatchObject({ sender_type: 'client', created_at: '2026-01-01T00:00:00.000Z' });
  await site.backend.requestCallback(access, { phone: '+7', consent: true } as never);
  expect(site.bodies.at(-1)).toEqual({ tel: '+7' });
});

describe('[BES40] contact and callback requests', () => {
  const wish = {
    phone: '+7 900 000-00-00',
    preferred_at: '2026-03-01T09:00:00.000Z',
    comment: 'после обеда',
    consent: { version: '2026-01', accepted: true },
  };

  it('go to the path of the site, with the fields the site has', async () => {
    site = besideSite();
    await site.backend.requestCallback(access, wish);
    expect(site.bodies.at(-1)).toEqual({ phone: wish.phone, comment: wish.comment });
    site = besideSite({ fields: { request: { preferred_at: 'call_at', consent: 'agreed_to', comment: '' } } });
    await site.backend.requestCallback(access, wish);
    expect(site.bodies.at(-1)).toEqual({ phone: wish.phone, call_at: wish.preferred_at, agreed_to: '2026-01' });
  });

  it('send nothing without a path, and start no chat', async () => {
    site = besideSite({ paths: { callback: '' } });
    expect(site.backend.callsInChat).toBe(false);
    await expect(site.backend.requestCallback(access, wish)).rejects.toMatchObject({ code: 'not_found' });
    expect(site.asked).toEqual([]);
  });

  it('start a chat if there is none, with the contact', async () => {
    site = besideSite({ fields: { request: { email: 'mail', consent: 'agreed' } } });
    const { environment } = site.world.tab('page');
    const client = createChatClient({
      baseUrl: 'http://site',
      tabs: false,
      environment,
      backend: site.backend,
      transports: ['rest'],
      prechat: () => ({ name: 'Вера', phone: wish.phone, email: 'vera@example.com', consent: wish.consent }),
    });
    const asked = client.requestCallback(wish);
    await site.world.advance(1_000);
    expect(await asked).toMatchObject({ id: 7, status: 'new' });
    expect(site.asked.filter((one) => one.startsWith('POST'))).toEqual(['POST /chat/session', 'POST /chat/7/callback']);
    expect(site.bodies.slice(0, 2)).toEqual([
      { name: 'Вера', external_contact: wish.phone, mail: 'vera@example.com', agreed: '2026-01' },
      { phone: wish.phone, comment: wish.comment, agreed: '2026-01' },
    ]);
    client.destroy();
  });
});

it('[BES31] shows the files of the site, and no link if the address is invalid', async () => {
  site = besideSite({
    fields: { message: { attachments: 'files' }, file: { url: 'href', name: 'title', size: 'bytes' } },
  });
  const files = [
    { id: 5, href: '/upload/план.pdf?v=2', bytes: '12' },
    { href: 'https://cdn.example/a.png', title: 'А.png', mime: 'image/png' },
    { href: 'javascript:alert(1)' },
    { href: '//evil.example/x' },
    { title: 'no address' },
  ];
  const row = { sender: 'manager', created_at: '2026-01-01T00:00:00Z' };
  site.rows.push(
    { ...row, id: 1, body: 'см.', files },
    { ...row, id: 2, body: null, files },
    { ...row, id: 3, body: null },
  );
  const { messages } = await site.backend.history(access, {});
  expect(messages.map(({ id, body }) => [id, body])).toEqual([
    [1, 'см.'],
    [2, ''],
  ]);
  expect(messages[0]?.attachments).toEqual([
    { id: '5', name: 'план.pdf', mime: 'application/octet-stream', size: 12, url: 'http://site/upload/план.pdf?v=2' },
    { id: 'https://cdn.example/a.png', name: 'А.png', mime: 'image/png', size: 0, url: 'https://cdn.example/a.png' },
  ]);
});

describe('[BES31] files to the site', () => {
  const mapped: Partial<SiteChat> = {
    paths: { upload: '/chat/{id}/upload' },
    fields: { uploaded: 'file', request: { file: 'doc', attachments: 'uploads' } },
    headers: { 'x-csrf-token': 'abc' },
  };
  const pdf = (name: string) => ({ name, bytes: new Uint8Array([37, 80, 68, 70]) });
  beforeEach(() => {
    vi.stubGlobal('fetch', (url: string) => Promise.reject(new Error(`nothing asks ${url} but the environment`)));
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  it('are sent as a form to its path, with its cookie, and their ids with the next message, once', async () => {
    site = besideSite(mapped);
    await site.backend.session(access);
    const fractions: number[] = [];
    const file = await site.backend.upload(access, pdf('счёт.pdf'), { onProgress: (done) => fractions.push(done) });
    expect(file).toEqual({ id: '1', name: 'счёт.pdf', mime: '', size: 4, url: 'http://site/upload/1' });
    expect(fractions.at(-1)).toBe(1);
    expect(site.forms).toMatchObject([{ path: '/chat/7/upload', field: 'doc', headers: { 'x-csrf-token': 'abc' } }]);
    // The browser chooses the form's boundary.
    expect(Object.keys(site.forms[0]?.headers ?? {})).not.toContain('content-type');
    const sent = { body: '', client_message_id: 'one', attachments: [file.id] };
    site.fails.push('/chat/7/message');
    await expect(site.backend.send(access, sent)).rejects.toMatchObject({ code: 'network' });
    // A message without a text is recognised by its files.
    expect(await site.backend.send(access, sent)).toMatchObject({ id: 1, body: '', client_message_id: 'one' });
    expect(site.bodies.at(-1)).toEqual({ client_message_id: 'one', uploads: ['1'] });
    expect(site.rows).toHaveLength(1);
    const { messages } = await site.backend.history(access, {});
    expect(messages[0]?.attachments).toMatchObject([{ id: '1', name: 'счёт.pdf' }]);
    expect(site.cookies()).toBe(site.asked.filter((call) => !call.includes('/channel/')).length);
  });

  it('are refused with our own text, whatever the site answers, and never shown as sent', async () => {
    site = besideSite(mapped);
    for (const [status, code] of [
      [413, 'payload_too_large'],
      [415, 'unsupported_media_type'],
      [422, 'validation_failed'],
      [403, 'forbidden'],
      [500, 'internal_error'],
    ] as const) {
      site.refuse(status);
      await expect(site.backend.upload(access, pdf('a.pdf'))).rejects.toMatchObject({ code, status });
    }
    // 200 without a file in the response: there is nothing to send.
    site.refuse(null);
    const other = besideSite({ ...mapped, fields: { ...mapped.fields, uploaded: 'elsewhere' } });
    await expect(other.backend.upload(access, pdf('a.pdf'))).rejects.toMatchObject({ code: 'invalid_response' });
  });

  it('are offered if the site has a path for them, within the limits it names', async () => {
    const offered = async (options: Partial<SiteChat>) => {
      site = besideSite(options);
      site.ledger = (url) =>
        url.pathname === '/chat/config' ? { attachments: { max_bytes: 1, mime: ['x'] } } : undefined;
      return (await site.backend.config()).attachments;
    };
    expect(await offered({})).toMatchObject({ max_per_message: 0 });
    expect(await offered(mapped)).toMatchObject({ max_per_message: 5, max_bytes: 10 * 1024 * 1024 });
    const files = { maxBytes: 2_000_000, maxPerMessage: 2, mime: ['image/*', 'application/pdf'] };
    expect(await offered({ ...mapped, files })).toEqual({
      max_per_message: 2,
      max_bytes: 2_000_000,
      mime: ['image/*', 'application/pdf'],
    });
    site = besideSite();
    await expect(site.backend.upload(access, pdf('a.pdf'))).rejects.toMatchObject({ code: 'not_found' });
  });
});

it('[BES15] reads from the ledger if the site prefers that, and writes to the site', async () => {
  site = besideSite({ history: 'ledger' });
  const ledger = Array.from({ length: 250 }, (_, index) => index + 1);
  const message = (id: number) => ({
    id,
    sender_type: id % 2 || id > 251 ? 'client' : 'operator',
    body: `m${id}`,
    attachments: [],
    created_at: '2026-01-01T00:00:00Z',
    client_message_id: null,
  });
  site.ledger = (url) => {
    if (url.pathname === '/chat/session/7') return { id: 7, status: 'active', last_seq: 250 };
    if (url.pathname !== '/chat/session/7/messages') return undefined;
    const before = Number(url.searchParams.get('before_id') ?? Number.POSITIVE_INFINITY);
    const page = ledger.filter((id) => id < before);
    return { messages: page.slice(-100).map(message), has_more: page.length > 100 };
  };
  expect(await site.backend.session(access)).toMatchObject({ status: 'active', last_seq: 41 });
  const page = await site.backend.history(access, { limit: 250 });
  expect(page.messages.map(({ id }) => id)).toEqual(ledger);
  ledger.push(251);
  expect((await site.backend.news(access, 250)).map(({ body }) => body)).toEqual(['m251']);
  // The site has the row now, and the ledger a moment later.
  site.rows.push(...ledger.map((id) => ({ id, sender: 'client', body: 'x', created_at: '2026-01-01 00:00:00' })));
  const sent = await site.backend.send(access, { body: 'новое', client_message_id: 'one' });
  expect(sent).toMatchObject({ id: 252, body: 'новое', client_message_id: 'one' });
  ledger.push(252);
  expect((await site.backend.news(access, 251)).map(({ id, client_message_id: key }) => [id, key])).toEqual([
    [252, 'one'],
  ]);
  expect(site.asked.filter((call) => call.startsWith('GET /chat/7?'))).toEqual([]);
  expect(site.asked).toContain('POST /chat/7/message');
});
