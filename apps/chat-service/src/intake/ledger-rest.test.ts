import { randomBytes, randomUUID } from 'node:crypto';
import {
  intakeResponseSchema,
  intakeSessionsResponseSchema,
  isCustomersRoute,
  isSiteOwned,
  PUBLIC_ROUTES,
  telegramCodeResponseSchema,
  telegramRedeemResponseSchema,
} from '@chat-realtime/protocol';
import { KeyRing, signChannelToken } from '@chat-realtime/protocol/tokens';
import { loadConfig } from '@chat-realtime/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest, INTERNAL_KEY, SITE_KEY } from '../../test/chat-under-test.ts';
import { intakeSuite, message, sourceSuite, NumberedEvents } from '../../test/intake-suite.ts';
import { chatServiceSchema } from '../config.ts';

const EVENTS_KEY = 'events-key-0123456789abcdef';
const LEDGER = { CHAT_ROLE: 'ledger', EVENTS_API_KEY: EVENTS_KEY };
const ring = KeyRing.parse(`k1:${CHANNEL_SECRET}`);
const tokenOf = (session: number) => signChannelToken(ring, session, Math.floor(Date.now() / 1_000));

let chat: ChatUnderTest;
let anna: string;
beforeAll(async () => {
  chat = await ChatUnderTest.start(LEDGER);
  anna = await chat.staff('anna');
});
afterAll(() => chat.stop());

const give = (events: readonly unknown[], token: string | undefined = EVENTS_KEY) =>
  chat.call('POST', '/intake/events', { token, body: { events } });

/** A site does this: it puts aside what the response names and sends the rest again. */
async function post(chat: ChatUnderTest, events: readonly Record<string, unknown>[]): Promise<number> {
  const answer = await chat.call('POST', '/intake/events', { token: EVENTS_KEY, body: { events } });
  if (answer.status === 200) return 0;
  // Too much for one request: nothing was stored.
  if (answer.status === 413 && events.length > 1) {
    const half = Math.ceil(events.length / 2);
    return (await post(chat, events.slice(0, half))) + (await post(chat, events.slice(half)));
  }
  expect(answer.status).toBe(422);
  const { error } = JSON.parse(answer.text) as { error: { details: { fields: { path: string }[] } } };
  const named = new Set(error.details.fields.map(({ path }) => Number(path.split('.')[1])));
  expect(named.size).toBeGreaterThan(0);
  const rest = events.filter((_, index) => !named.has(index));
  return named.size + (rest.length === 0 ? 0 : await post(chat, rest));
}

intakeSuite('a request of the site', async () => {
  const own = await ChatUnderTest.start(LEDGER);
  let refused = 0;
  return {
    chat: own.operations,
    give: async (...events) => {
      refused += await post(own, events);
    },
    refused: async () => refused,
    stop: () => own.stop(),
  };
});

sourceSuite('a request of the site', async () => {
  const own = await ChatUnderTest.start(LEDGER);
  const numbered = new NumberedEvents();
  let refused = 0;
  const give = async (events: readonly Record<string, unknown>[]) => {
    refused += await post(own, events);
  };
  return {
    chat: own.operations,
    apply: (session, ...changes) => give(numbered.of(session, changes)),
    again: (...sessions) => give(numbered.again(sessions)),
    refused: async () => refused,
    stop: () => own.stop(),
  };
});

describe('POST /intake/events', () => {
  it('[BES13] answers how many events were new and how many were known', async () => {
    const first = await give([message(1, 1), message(1, 2)]);
    expect([first.status, first.as(intakeResponseSchema)]).toEqual([200, { accepted: 2, duplicate: 0 }]);
    expect((await give([message(1, 2), message(1, 3)])).as(intakeResponseSchema)).toEqual({
      accepted: 1,
      duplicate: 1,
    });
  });

  it('[BES13] accepts only EVENTS_API_KEY, and that key opens nothing else', async () => {
    expect((await chat.call('POST', '/intake/events', { body: { events: [message(1, 9)] } })).code).toBe(
      'missing_credentials',
    );
    for (const wrong of [anna, tokenOf(1), INTERNAL_KEY, SITE_KEY, `${EVENTS_KEY}x`])
      expect((await give([message(1, 9)], wrong)).code).toBe('bad_token');
    for (const [method, path] of [
      ['GET', '/chat/sessions'],
      ['GET', '/chat/session/1/messages'],
      ['POST', '/internal/catchup'],
    ] as const)
      expect([path, (await chat.call(method, path, { token: EVENTS_KEY })).status]).toEqual([path, 401]);
    expect(
      (await chat.call('GET', '/chat/session/1/channel-token', { headers: { 'x-site-key': EVENTS_KEY } })).status,
    ).toBe(401);
  });

  it('[BES14] answers a malformed event with 422 and its path, and stores nothing of the request', async () => {
    const answer = await give([message(2, 1), { ...message(2, 2), session_id: null }, message(2, 3, { body: '' })]);
    expect([answer.status, answer.code]).toEqual([422, 'validation_failed']);
    expect(answer.text).toContain('"path":"events.1.session_id"');
    expect(answer.text).toContain('"path":"events.2.data.body"');
    expect((await chat.call('GET', '/chat/session/2', { token: anna })).status).toBe(404);
  });

  it('[BES14] accepts 1 to 500 events and 256 KiB', async () => {
    const many = (n: number) => Array.from({ length: n }, (_, i) => message(3, i + 1));
    expect((await give([])).status).toBe(422);
    expect((await give(many(501))).status).toBe(422);
    expect((await give(many(500))).as(intakeResponseSchema)).toEqual({ accepted: 500, duplicate: 0 });
    const large = Array.from({ length: 30 }, (_, i) => message(3, 1_000 + i, { body: 'x'.repeat(9_900) }));
    expect((await give(large)).status).toBe(413);
    expect((await chat.call('POST', '/intake/events', { token: EVENTS_KEY, body: {} })).status).toBe(422);
  });

  it('[BES7] returns numbers for ids that are not numeric, and assigns them in advance on request', async () => {
    const body = { sessions: ['chat-a', 17, '18'] };
    const asked = await chat.call('POST', '/intake/sessions', { token: EVENTS_KEY, body });
    const { sessions } = asked.as(intakeSessionsResponseSchema);
    expect(sessions).toMatchObject({ 17: 17, 18: 18 });
    const { ids } = (await give([message('chat-a', 'm1'), message(17, 1)])).as(intakeResponseSchema);
    expect(ids?.sessions).toEqual({ 'chat-a': sessions['chat-a'] });
    expect(Object.keys(ids?.messages ?? {})).toEqual(['m1']);
    const number = sessions['chat-a'] ?? 0;
    const read = await chat.call('GET', `/chat/session/${number}/messages`, { token: anna });
    expect(JSON.parse(read.text).messages).toMatchObject([{ id: ids?.messages['m1'], body: 'text m1' }]);
  });
});

describe('REST beside a site', () => {
  it('[BES15] customers’ calls are refused with a code of their own, whatever credentials they carry', async () => {
    await give([message(50, 1)]);
    const token = tokenOf(50);
    const resume = randomBytes(32).toString('base64url');
    for (const route of PUBLIC_ROUTES.filter(isCustomersRoute)) {
      const path = route.path.replace('{id}', '50');
      const body = route.method === 'GET' ? {} : { body: { body: 'x', client_message_id: randomUUID() } };
      const call = { token, headers: { 'x-resume-key': resume }, ...body };
      const answer = await chat.call(route.method, path, call);
      expect([route.id, answer.status, answer.code]).toEqual([route.id, 404, 'customer_rest_off']);
    }
    expect(await chat.operations.history({ kind: 'customer', sessionId: 50 }, 50, { limit: 10 })).toMatchObject({
      messages: [{ id: 1 }],
    });
  });

  it('[BES15] the widget’s configuration, the site’s own key and all staff calls continue to work', async () => {
    await give([message(51, 1)]);
    const headers = { 'x-site-key': SITE_KEY };
    const calls = [
      await chat.call('GET', '/chat/config'),
      await chat.call('GET', '/chat/session/51/channel-token', { headers }),
      await chat.call('GET', '/chat/session/51/messages', { token: anna }),
      await chat.call('GET', '/chat/session/51/events', { token: anna }),
      await chat.call('GET', '/chat/sessions', { token: anna }),
      await chat.call('GET', '/chat/alerts', { token: anna }),
      await chat.call('POST', '/chat/session/51/read', { token: anna, body: { last_id: 1 } }),
      await chat.call('GET', '/chat/operators', { token: anna }),
    ];
    expect(calls.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200, 200, 200]);
    await chat.stamp();
    const feed = await chat.call('GET', '/chat/feed?after=500', { token: anna });
    expect(feed.text).toContain('"type":"chat.message.client","session_id":51');
  });

  it("[BES36] operators' changes to a chat are refused and change nothing", async () => {
    await give([message(55, 1)]);
    const events = async () => (await chat.call('GET', '/chat/session/55/events', { token: anna })).text;
    const before = await events();
    const bodies: Readonly<Record<string, object>> = {
      postMessage: { body: 'x', client_message_id: randomUUID() },
      handover: { to_user_id: null },
      updateCallback: { status: 'done' },
      changeContact: { name: 'x' },
    };
    const routes = PUBLIC_ROUTES.filter(isSiteOwned);
    for (const route of routes) {
      const path = route.path.replace('{id}', '55');
      const file = { raw: Buffer.from('x'), headers: { 'x-file-name': 'a.txt', 'content-type': 'text/plain' } };
      const given = route.id === 'uploadAttachment' ? file : { body: bodies[route.id] ?? {} };
      const answer = await chat.call(route.method, path, { token: anna, ...given });
      expect([route.id, answer.status, answer.code]).toEqual([route.id, 409, 'site_owned']);
    }
    expect(routes.length).toBe(9);
    expect(await events()).toBe(before);
    // What does not belong to the site stays.
    const note = await chat.call('POST', '/chat/session/55/notes', { token: anna, body: { body: 'n' } });
    expect(note.status).toBe(201);
  });

  it('[BES42] stores contact data that the site has saved, and notifies the lists', async () => {
    await give([message(56, 1)]);
    const path = '/chat/session/56/contact';
    const refused = await chat.call('PATCH', path, { token: anna, body: { name: 'Вера', at_site: false } });
    expect([refused.status, refused.code]).toEqual([409, 'site_owned']);
    const body = { name: ' Вера ', phone: '+7 900 000-00-00', at_site: true };
    const taken = await chat.call('PATCH', path, { token: anna, body });
    expect(taken.status).toBe(200);
    expect(taken.text).toContain('"name":"Вера"');
    expect((await chat.call('GET', '/chat/sessions?q=9000000000', { token: anna })).text).toContain('"id":56');
    expect((await chat.call('PATCH', path, { token: anna, body: { at_site: true } })).status).toBe(200);
  });

  it('[BES36] files of an operator in Telegram are refused too', async () => {
    await give([message(61, 5)]);
    const inner = { token: INTERNAL_KEY };
    const code = await chat.call('POST', '/chat/operators/me/telegram-code', { token: anna });
    const user = { id: 7_100_000_001, username: 'anna', name: 'Анна', locale: 'ru' };
    const redeemed = await chat.call('POST', '/internal/telegram/redeem', {
      ...inner,
      body: { code: code.as(telegramCodeResponseSchema).code, user },
    });
    expect(redeemed.as(telegramRedeemResponseSchema).outcome).toBe('operator');
    const file = { raw: Buffer.from('x'), headers: { 'content-type': 'text/plain', 'x-file-name': 'a.txt' } };
    const path = `/internal/telegram/upload?telegram_user_id=${user.id}&session_id=61`;
    const answer = await chat.call('POST', path, { ...inner, ...file });
    expect([answer.status, answer.code]).toEqual([409, 'site_owned']);
  });

  it('[BES36] LEDGER_STAFF_WRITES lets operators write into the ledger', async () => {
    const writing = await ChatUnderTest.start({ ...LEDGER, LEDGER_STAFF_WRITES: 'true' });
    try {
      await writing.chat.service.intake.take([message(60, 5)], 'http');
      const token = await writing.staff('anna');
      const body = { body: 'x', client_message_id: randomUUID() };
      expect((await writing.call('POST', '/chat/session/60/messages', { token, body })).status).toBe(201);
      expect((await writing.call('POST', '/chat/session/60/close', { token, body: {} })).status).toBe(200);
    } finally {
      await writing.stop();
    }
  });

  it('[BES15] LEDGER_CUSTOMER_READS shows customers their own chat from the ledger', async () => {
    const reading = await ChatUnderTest.start({ ...LEDGER, LEDGER_CUSTOMER_READS: 'on' });
    try {
      await reading.chat.service.intake.take([message(60, 5)], 'http');
      const token = tokenOf(60);
      const get = async (path: string) => (await reading.call('GET', path, { token })).status;
      expect(await get('/chat/session/60/messages')).toBe(200);
      expect(await get('/chat/session/60/events')).toBe(200);
      expect(await get('/chat/session/61/events')).toBe(401);
      const body = { body: 'x', client_message_id: randomUUID() };
      expect((await reading.call('POST', '/chat/session/60/messages', { token, body })).code).toBe('customer_rest_off');
    } finally {
      await reading.stop();
    }
  });

  it('[BES12] a source of events without the ledger role, or an unreadable one, prevents the start', () => {
    const base = {
      CHAT_TOKEN_SECRETS: `k1:${CHANNEL_SECRET}`,
      DATABASE_URL: 'postgres://x',
      RABBITMQ_URL: 'amqp://x',
      AUTH_JWT_SECRET: CHANNEL_SECRET,
    };
    expect(() => loadConfig(chatServiceSchema, { ...base, EVENTS_API_KEY: EVENTS_KEY })).toThrow(/CHAT_ROLE: must be/);
    expect(() => loadConfig(chatServiceSchema, { ...base, ...LEDGER, RABBITMQ_SOURCE: 'site.events' })).toThrow(
      /RABBITMQ_SOURCE: must be exchange:<name>\/<key> or queue:<name>/,
    );
    const source = loadConfig(chatServiceSchema, { ...base, ...LEDGER, RABBITMQ_SOURCE: 'exchange:site/chat.#' });
    expect(source.RABBITMQ_SOURCE).toEqual({ kind: 'exchange', exchange: 'site', key: 'chat.#' });
  });
});
