import { describe, expect, it } from 'vitest';
import type { Message } from '../api/protocol.ts';
import type { SiteStaff } from '../api/site-staff.ts';
import { createEnvironment, memoryStorage } from '../core/environment.ts';
import { createSiteStaff } from './site-staff.ts';

const operators = (id: number, body: string): Message => ({
  id,
  sender_type: 'operator',
  body,
  attachments: [],
  created_at: '2026-01-01T00:00:00Z',
  client_message_id: null,
});

/** A site whose rows are in the ledger as soon as they are written. */
interface Manner {
  /** Null: it stores nothing. */
  readonly store?: ((text: string) => string) | null;
  readonly answer?: (text: string) => string;
  readonly redirected?: boolean;
  readonly status?: (headers: Readonly<Record<string, string>>) => number;
}

function besideSite(
  site: SiteStaff = {},
  { store = (text) => text, answer, redirected = false, status = () => 200 }: Manner = {},
) {
  const ledger: Message[] = [operators(4, 'Да, есть')];
  const asked: { url: string; body: unknown; headers: unknown }[] = [];
  let losesAnswers = 0;
  let isHidden = false;
  const environment = createEnvironment({
    storage: memoryStorage(),
    setTimer: (run) => setTimeout(run, 0),
    clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
    fetch: (input, init) => {
      const form = init?.body instanceof FormData ? [...init.body] : null;
      const body = form ? {} : (JSON.parse(String(init?.body)) as Record<string, string>);
      const files = form?.map(([field, value]) => [field, value instanceof File && value.name]);
      asked.push({ url: String(input), body: files ?? body, headers: init?.headers });
      expect(init?.credentials).toBe('same-origin');
      const text = body['body'] ?? body['text'];
      if (text && store) ledger.push(operators(ledger.length + 10, store(text)));
      if (losesAnswers-- > 0) return Promise.reject(new TypeError('the answer was lost'));
      const response = new Response(answer?.(text ?? '') ?? '<p>written</p>', {
        status: status(init?.headers as Record<string, string>),
      });
      Object.defineProperty(response, 'redirected', { value: redirected });
      return Promise.resolve(response);
    },
  });
  const page = () =>
    createSiteStaff(environment, site, (_id, after) =>
      Promise.resolve(ledger.slice(0, isHidden ? 1 : undefined).filter(({ id }) => id > after)),
    );
  return {
    staff: page(),
    /** The console, reloaded in the same browser. */
    page,
    asked,
    ledger,
    loseAnswers: (count: number) => (losesAnswers = count),
    hide: (is: boolean) => (isHidden = is),
  };
}

it('answers through the site’s REST, and finds its message in the ledger under its own id', async () => {
  const { staff, asked } = besideSite({ headers: { 'x-csrf-token': 'abc' } });
  const sent = await staff.reply(7, { body: 'Да, есть', client_message_id: 'one' });
  expect(sent).toMatchObject({ id: 11, body: 'Да, есть', client_message_id: 'one' });
  expect(asked).toMatchObject([
    { url: '/chat/7/reply', body: { body: 'Да, есть' }, headers: { 'x-csrf-token': 'abc' } },
  ]);
});

it('does not send again a message that was stored but whose response was lost', async () => {
  const { staff, ledger, loseAnswers } = besideSite();
  loseAnswers(1);
  const reply = { body: 'Завтра', client_message_id: 'one' };
  await expect(staff.reply(7, reply)).rejects.toMatchObject({ code: 'network' });
  expect(await staff.reply(7, reply)).toMatchObject({ id: 11, client_message_id: 'one' });
  // The same text a second time is a second message.
  expect(await staff.reply(7, { ...reply, client_message_id: 'two' })).toMatchObject({ id: 12 });
  expect(ledger.filter(({ body }) => body === 'Завтра')).toHaveLength(2);
});

it('assigns and closes with the site’s paths and names', async () => {
  const { staff, asked } = besideSite({
    paths: { assign: '/api/{id}/give', reply: '/api/{id}/say' },
    request: { user_id: 'manager', body: 'text' },
  });
  await staff.move(7, 'assign', '3');
  await staff.move(7, 'assign');
  await staff.move(7, 'close');
  await staff.reply(7, { body: 'x', client_message_id: 'one' });
  expect(asked.map(({ url, body }) => [url, body])).toEqual([
    ['/api/7/give', { manager: '3' }],
    ['/api/7/give', {}],
    ['/chat/7/close', {}],
    ['/api/7/say', { text: 'x', client_message_id: 'one' }],
  ]);
});

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
describe.each([
  ['trimmed', (text: string) => text.trim(), ' Да, есть \n'],
  ['escaped', escape, 'Marks & Spencer <b>'],
  ['cut at 5,000', (text: string) => text.slice(0, 5_000), 'длинное '.repeat(900)],
  ['with emoji replaced', (text: string) => text.replace(/\p{Extended_Pictographic}/gu, '????'), 'Спасибо 👍'],
])('[BES31] a site that stores an answer %s', (_, store, body) => {
  it('receives it once', async () => {
    const { staff, ledger } = besideSite({}, { store });
    const sent = await staff.reply(7, { body, client_message_id: 'one' });
    expect(sent).toMatchObject({ id: 11, body: store(body), client_message_id: 'one' });
    expect(ledger).toHaveLength(2);
  });

  it('does not receive it again from the page after the one whose response was lost', async () => {
    const site = besideSite({}, { store });
    site.loseAnswers(1);
    await expect(site.staff.reply(7, { body, client_message_id: 'one' })).rejects.toMatchObject({ code: 'network' });
    expect(await site.page().reply(7, { body, client_message_id: 'one' })).toMatchObject({ id: 11 });
    expect(site.asked).toHaveLength(1);
  });
});

it('[BES31] does not send again what the site accepted, however far the ledger is behind', async () => {
  const site = besideSite({}, { store: (text) => `[${text}]` });
  site.hide(true);
  const reply = { body: 'Да', client_message_id: 'one' };
  expect(await site.staff.reply(7, reply)).toBeNull();
  expect(await site.staff.reply(7, reply)).toBeNull();
  expect(await site.page().reply(7, reply)).toBeNull();
  site.hide(false);
  expect(await site.page().reply(7, reply)).toMatchObject({ id: 11 });
  expect(site.staff.own(7, operators(11, '[Да]'))).toMatchObject({ client_message_id: 'one' });
  expect(site.asked).toHaveLength(1);
});

it('[BES31] takes the message from the response if the site returns it', async () => {
  const site = besideSite(
    { fields: { sent: 'data', message: { body: 'text' } } },
    { answer: (text) => JSON.stringify({ data: { id: 11, text } }) },
  );
  site.hide(true);
  expect(await site.staff.reply(7, { body: 'Да', client_message_id: 'one' })).toMatchObject({
    id: 11,
    body: 'Да',
    sender_type: 'operator',
    client_message_id: 'one',
  });
});

it('[BES31] reports if the site redirected to a page that does not contain the answer', async () => {
  const site = besideSite({}, { store: null, redirected: true });
  const reply = { body: 'Да', client_message_id: 'one' };
  await expect(site.staff.reply(7, reply)).rejects.toMatchObject({ code: 'unconfirmed', retryable: false });
});

describe('[BES36] an action that a site has no path for', () => {
  it('is refused, without a request to the site or the ledger', async () => {
    const { staff, asked } = besideSite();
    const file = new Blob(['x']);
    for (const refused of [
      () => staff.move(7, 'reopen'),
      () => staff.move(7, 'unassign'),
      // A site that accepts no assignee would assign the chat to the caller.
      () => staff.move(7, 'assign', '3'),
    ])
      await expect(refused()).rejects.toMatchObject({ code: 'site_owned' });
    await expect(staff.upload(7, file)).rejects.toMatchObject({ code: 'attachments_off' });
    const reply = { body: 'Вот', client_message_id: 'one', attachments: ['f1'] };
    await expect(staff.reply(7, reply)).rejects.toMatchObject({ code: 'attachments_off' });
    expect(staff.limits).toMatchObject({ max_per_message: 0 });
    expect(asked).toEqual([]);
  });

  it('is sent there if it has a path', async () => {
    const { staff, asked } = besideSite({ paths: { reopen: '/chat/{id}/open', unassign: '/chat/{id}/free' } });
    await staff.move(7, 'reopen');
    await staff.move(7, 'unassign');
    expect(asked.map(({ url, body }) => [url, body])).toEqual([
      ['/chat/7/open', {}],
      ['/chat/7/free', {}],
    ]);
  });
});

describe('[BES37] files of operators over a site’s REST', () => {
  const paths = { upload: '/chat/{id}/file' };
  it('are sent before the answer, which names them', async () => {
    const { staff, asked } = besideSite(
      {
        paths,
        request: { attachments: 'files', file: 'upload' },
        fields: { uploaded: 'file' },
        headers: { 'x-a': '1' },
      },
      { answer: (text) => (text === '' ? '{"file":{"id":"f1","url":"/f/1.pdf","name":"Счёт.pdf"}}' : '{}') },
    );
    const kept = await staff.upload(7, new File(['%PDF'], 'Счёт.pdf'));
    expect(kept).toMatchObject({ id: 'f1', url: '/f/1.pdf', name: 'Счёт.pdf' });
    await staff.reply(7, { body: 'Вот он', client_message_id: 'one', attachments: ['f1'] });
    expect(asked).toMatchObject([
      { url: '/chat/7/file', body: [['upload', 'Счёт.pdf']], headers: { 'x-a': '1' } },
      { url: '/chat/7/reply', body: { body: 'Вот он', client_message_id: 'one', files: ['f1'] } },
    ]);
    expect(staff.limits).toMatchObject({ max_per_message: 5 });
  });

  it('alone are recognised by their ids, and are sent once even if the response was lost', async () => {
    const { staff, ledger, asked, loseAnswers } = besideSite({ paths }, { store: (text) => text });
    const file = { id: 'f1', name: 'a.pdf', mime: 'application/pdf', size: 4, url: '/f/1.pdf' };
    loseAnswers(1);
    const reply = { body: '', client_message_id: 'one', attachments: ['f1'] };
    await expect(staff.reply(7, reply)).rejects.toMatchObject({ code: 'network' });
    ledger.push({ ...operators(20, ''), attachments: [file] });
    expect(await staff.reply(7, reply)).toMatchObject({ id: 20, body: '', client_message_id: 'one' });
    expect(asked).toHaveLength(1);
  });
});

describe('[BES38] a site that requires a CSRF token', () => {
  it('is asked once more with the next token if it refused the last', async () => {
    let wanted = 'two';
    const { staff, asked } = besideSite(
      {
        headers: (again) => Promise.resolve({ 'x-csrf-token': again ? 'two' : 'one' }),
      },
      { status: (headers) => (headers['x-csrf-token'] === wanted ? 200 : 400) },
    );
    await staff.move(7, 'close');
    expect(asked.map(({ headers }) => (headers as Record<string, string>)['x-csrf-token'])).toEqual(['one', 'two']);
    wanted = 'three';
    await expect(staff.move(7, 'close')).rejects.toMatchObject({ status: 400 });
    expect(asked).toHaveLength(4);
  });

  it('is not asked again if there is no other token', async () => {
    const { staff, asked } = besideSite({ headers: { 'x-csrf-token': 'one' } }, { status: () => 403 });
    await expect(staff.move(7, 'close')).rejects.toMatchObject({ status: 403 });
    expect(asked).toHaveLength(1);
  });
});

describe('[BES42] contact data of a site', () => {
  const change = { name: 'Вера', phone: null };

  it('are sent to the path that it names, with its names, and only what was changed', async () => {
    const request = { name: 'guest', phone: 'tel' };
    const { staff, asked } = besideSite({ paths: { contact: '/staff/chats/{id}/contact' }, request });
    // The ledger is notified afterwards, and learns that the site has it.
    expect(await staff.contact(7, change)).toEqual({ ...change, at_site: true });
    expect(asked).toMatchObject([{ url: '/staff/chats/7/contact', body: { guest: 'Вера', tel: '' } }]);
  });

  it('are not shown as saved without a path, or if the site does not store them', async () => {
    const { staff, asked } = besideSite();
    await expect(staff.contact(7, change)).rejects.toMatchObject({ code: 'site_owned' });
    const other = besideSite({ paths: { contact: '/contact' }, request: { phone: '' } });
    await expect(other.staff.contact(7, change)).rejects.toMatchObject({ code: 'site_owned' });
    expect([...asked, ...other.asked]).toEqual([]);
  });

  it('are not shown as saved if a page of the site answered', async () => {
    const { staff } = besideSite({ paths: { contact: '/contact' } }, { redirected: true });
    await expect(staff.contact(7, change)).rejects.toMatchObject({ code: 'unconfirmed' });
    const refused = besideSite({ paths: { contact: '/contact' } }, { status: () => 422 });
    await expect(refused.staff.contact(7, change)).rejects.toMatchObject({ status: 422 });
  });
});
