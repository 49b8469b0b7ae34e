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

/** A site whose rows stand in the ledger as soon as they are written. */
interface Manner {
  /** Null: it writes nothing. */
  readonly store?: ((text: string) => string) | null;
  readonly answer?: (text: string) => string;
  readonly redirected?: boolean;
}

function besideSite(site: SiteStaff = {}, { store = (text) => text, answer, redirected = false }: Manner = {}) {
  const ledger: Message[] = [operators(4, 'Да, есть')];
  const asked: { url: string; body: unknown; headers: unknown }[] = [];
  let losesAnswers = 0;
  let isHidden = false;
  const environment = createEnvironment({
    storage: memoryStorage(),
    setTimer: (run) => setTimeout(run, 0),
    clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout),
    fetch: (input, init) => {
      const body = JSON.parse(String(init?.body)) as Record<string, string>;
      asked.push({ url: String(input), body, headers: init?.headers });
      expect(init?.credentials).toBe('same-origin');
      const text = body['body'] ?? body['text'];
      if (text !== undefined && store) ledger.push(operators(ledger.length + 10, store(text)));
      if (losesAnswers-- > 0) return Promise.reject(new TypeError('the answer was lost'));
      const response = new Response(answer?.(text ?? '') ?? '<p>written</p>', { status: 200 });
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
    /** The console, loaded anew in the same browser. */
    page,
    asked,
    ledger,
    loseAnswers: (count: number) => (losesAnswers = count),
    hide: (is: boolean) => (isHidden = is),
  };
}

it('answers by the site’s REST, and finds its message in the ledger under its own id', async () => {
  const { staff, asked } = besideSite({ headers: { 'x-csrf-token': 'abc' } });
  const sent = await staff.reply(7, { body: 'Да, есть', client_message_id: 'one' });
  expect(sent).toMatchObject({ id: 11, body: 'Да, есть', client_message_id: 'one' });
  expect(asked).toMatchObject([
    { url: '/chat/7/reply', body: { body: 'Да, есть' }, headers: { 'x-csrf-token': 'abc' } },
  ]);
});

it('does not write again what was written and whose answer was lost', async () => {
  const { staff, ledger, loseAnswers } = besideSite();
  loseAnswers(1);
  const reply = { body: 'Завтра', client_message_id: 'one' };
  await expect(staff.reply(7, reply)).rejects.toMatchObject({ code: 'network' });
  expect(await staff.reply(7, reply)).toMatchObject({ id: 11, client_message_id: 'one' });
  // The same words a second time are a second message.
  expect(await staff.reply(7, { ...reply, client_message_id: 'two' })).toMatchObject({ id: 12 });
  expect(ledger.filter(({ body }) => body === 'Завтра')).toHaveLength(2);
});

it('assigns and closes by the site’s paths and names', async () => {
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
  it('is sent it once', async () => {
    const { staff, ledger } = besideSite({}, { store });
    const sent = await staff.reply(7, { body, client_message_id: 'one' });
    expect(sent).toMatchObject({ id: 11, body: store(body), client_message_id: 'one' });
    expect(ledger).toHaveLength(2);
  });

  it('is not sent it again by the page after the one whose answer was lost', async () => {
    const site = besideSite({}, { store });
    site.loseAnswers(1);
    await expect(site.staff.reply(7, { body, client_message_id: 'one' })).rejects.toMatchObject({ code: 'network' });
    expect(await site.page().reply(7, { body, client_message_id: 'one' })).toMatchObject({ id: 11 });
    expect(site.asked).toHaveLength(1);
  });
});

it('[BES31] never sends again what the site took, however far the ledger is behind', async () => {
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

it('[BES31] takes the message from the answer where the site tells it', async () => {
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

it('[BES31] says so where the site led to a page and the answer is nowhere', async () => {
  const site = besideSite({}, { store: null, redirected: true });
  const reply = { body: 'Да', client_message_id: 'one' };
  await expect(site.staff.reply(7, reply)).rejects.toMatchObject({ code: 'unconfirmed', retryable: false });
});
