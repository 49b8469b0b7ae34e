import {
  callbacksResponseSchema,
  customerCallbackResponseSchema,
  type ErrorCode,
  operatorsResponseSchema,
} from '@chat-realtime/protocol';
import { type Customer, ofType } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { SECRETS } from '../../support/profiles.ts';
import { rawJwt, staffToken, unixNow } from '../../support/tokens.ts';

const chat = await useChat('limits');

/** [TOK21] one verdict on REST, poll, SSE, WebSocket by query and by first frame. */
async function expectVerdict(token: string, code: ErrorCode, closeCode: number): Promise<void> {
  const http = chat.visitor();
  expectError(await http.get('/chat/sessions', { token }), code);
  expectError(await http.get(`/channel/poll?type=staff&access_token=${token}`), code);
  expectError(await http.get('/channel/sse?type=staff', { token }), code);
  const query = await chat.webSocket({ query: { type: 'staff', access_token: token } });
  expect((await query.closed()).code).toBe(closeCode);
  const frame = await chat.webSocket();
  frame.send({ type: 'auth', access_token: token });
  expect((await frame.closed()).code).toBe(closeCode);
}

const base = (): Record<string, unknown> => ({
  iss: SECRETS.issuer,
  aud: SECRETS.audience,
  sub: 'raw-staff',
  iat: unixNow(),
  exp: unixNow() + 600,
  role: 'operator',
  name: 'Raw',
});
const header = { alg: 'HS256', typ: 'JWT' };

describe('JWTs of another auth-service', () => {
  test('[TOK17] [TOK19] a valid one is accepted everywhere; the map translates its role', async () => {
    for (const [role, mapped] of [
      ['manager', 'operator'],
      ['boss', 'admin'],
    ] as const) {
      const staff = await chat.foreignStaff({ role, sub: `mapped-${role}`, name: `Mapped ${role}` });
      expect((await staff.request('GET', '/chat/sessions')).status).toBe(200);
      const channel = await chat.staffChannel(staff);
      expect((await channel.ready()).data['user_id']).toBe(staff.userId);
      await expect
        .poll(
          async () =>
            (await staff.request('GET', '/chat/operators'))
              .as(operatorsResponseSchema)
              .operators.find((one) => one.id === staff.userId)?.role,
          {
            timeout: 16_000,
            interval: 300,
          },
        )
        .toBe(mapped);
      await channel.close();
    }
  }, 40_000);

  test('[TOK17] aud may be a list that contains ours; name may be absent', async () => {
    for (const token of [
      rawJwt(header, { ...base(), aud: ['other', SECRETS.audience] }, SECRETS.jwt),
      rawJwt(header, { ...base(), name: undefined }, SECRETS.jwt),
      rawJwt(header, { ...base(), iat: unixNow() + 30 }, SECRETS.jwt),
      rawJwt(header, { ...base(), iat: unixNow(), exp: unixNow() + 86_400 }, SECRETS.jwt),
    ]) {
      expect((await chat.visitor().get('/chat/sessions', { token })).status).toBe(200);
    }
  });

  test.each([
    ['another issuer', { iss: 'https://evil.example' }],
    ['no issuer', { iss: undefined }],
    ['another audience', { aud: 'chat' }],
    ['no audience', { aud: undefined }],
    ['an empty audience list', { aud: [] }],
    ['no sub', { sub: undefined }],
    ['an empty sub', { sub: '' }],
    ['a numeric sub', { sub: 7 }],
    ['no exp', { exp: undefined }],
    ['a text exp', { exp: '9999999999' }],
    ['no iat', { iat: undefined }],
    ['iat in the future', { iat: unixNow() + 300, exp: unixNow() + 900 }],
    ['a life over 24 h', { exp: unixNow() + 86_400 + 3_600 }],
    ['nbf in the future', { nbf: unixNow() + 600 }],
  ])('[TOK17] %s is bad_token', async (_what, claims) => {
    const token = rawJwt(header, { ...base(), ...claims }, SECRETS.jwt);
    expectError(await chat.visitor().get('/chat/sessions', { token }), 'bad_token');
    const socket = await chat.webSocket({ query: { type: 'staff', access_token: token } });
    expect((await socket.closed()).code).toBe(4501);
  });

  test('[TOK18] [TOK19] other algorithms, keys and shapes are bad_token', async () => {
    const good = await staffToken();
    for (const token of [
      rawJwt({ alg: 'none' }, base()),
      rawJwt({ alg: 'HS512', typ: 'JWT' }, base(), SECRETS.jwt),
      rawJwt(header, base(), 'another-secret-0123456789abcdef0123456789'),
      rawJwt({ ...header, crit: ['x'], x: 1 }, base(), SECRETS.jwt),
      rawJwt(header, [base()], SECRETS.jwt),
      rawJwt(header, null, SECRETS.jwt),
      `${good}=`,
      good.slice(0, -1),
      good.replace(/\./g, '..'),
      ` ${good}`.trim().split('.').slice(0, 2).join('.'),
    ]) {
      expectError(await chat.visitor().get('/chat/sessions', { token }), 'bad_token');
    }
  });

  test('[TOK21] a forged one, everywhere', async () => {
    await expectVerdict(await staffToken({ secret: 'another-secret-0123456789abcdef0123456789' }), 'bad_token', 4501);
  });

  test('[TOK21] [TOK17] an expired one, everywhere; there is no leeway', async () => {
    await expectVerdict(await staffToken({ iat: unixNow() - 3_600, exp: unixNow() - 1 }), 'token_expired', 4401);
  });

  test('[TOK20] [TOK21] [CLS7] a valid one without a role of this system, everywhere', async () => {
    await expectVerdict(await staffToken({ role: 'accountant' }), 'forbidden', 4503);
    await expectVerdict(await staffToken({ omit: ['role'] }), 'forbidden', 4503);
  });

  test('[WS10] [WS9] [SSE8] expiry ends staff connections within 1 s; a refresh keeps them', async () => {
    const sub = 'expiring-staff';
    const exp = unixNow() + 3;
    const token = await staffToken({ sub, exp });
    const socket = await chat.webSocket({ query: { type: 'staff', access_token: token } });
    const kept = await chat.webSocket({ query: { type: 'staff', access_token: token } });
    const sse = await chat.sse('/channel/sse?type=staff', { token });
    expect(Date.parse(String((await socket.ready()).data['expires_at']))).toBe(exp * 1_000);
    await kept.ready();
    kept.send({ type: 'auth', access_token: await staffToken({ sub }) });
    await kept.waitFor(ofType('channel.refreshed'));
    const event = await socket.closed(6_000);
    expect(event.code).toBe(4401);
    expect(event.at - exp * 1_000).toBeLessThan(1_200);
    expect((await sse.waitFor(ofType('channel.closed'))).data['code']).toBe(4401);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await kept.roundTrip();
  }, 20_000);
});

describe('scope assigned', () => {
  test('[ASG10] [STF6] [CON1] sees free and own sessions only: REST, inbox, feed, live, alerts', async () => {
    const narrow = await chat.foreignStaff({ scope: 'assigned', sub: 'narrow' });
    // Known as a colleague from the first request on.
    await narrow.alerts();
    const boss = await chat.foreignStaff({ role: 'boss', sub: 'wide-boss' });
    const [free, mine, foreign] = [
      await chat.customer({ name: 'Scope Free' }),
      await chat.customer({ name: 'Scope Mine' }),
      await chat.customer({ name: 'Scope Foreign' }),
    ];
    await boss.act(mine.sessionId, 'assign', { user_id: narrow.userId });
    await boss.act(foreign.sessionId, 'assign');
    const start = await narrow.feedHead();
    const channel = await chat.staffChannel(narrow);
    const badge = await narrow.alerts();
    for (const customer of [free, mine, foreign]) await customer.post(`scope ${customer.sessionId}`);
    await boss.note(foreign.sessionId, 'scope note');
    await channel.waitFor((frame) => frame.session_id === mine.sessionId && frame.type === 'chat.message.client');
    await channel.waitFor((frame) => frame.session_id === free.sessionId && frame.type === 'chat.message.client');
    await channel.roundTrip();
    expect(channel.frames.some((frame) => frame.session_id === foreign.sessionId)).toBe(false);
    expect((await narrow.request('GET', mine.path)).status).toBe(200);
    expect((await narrow.request('GET', free.path)).status).toBe(200);
    for (const suffix of ['', '/messages', '/events', '/notes']) {
      expectError(await narrow.request('GET', foreign.path + suffix), 'session_not_found');
    }
    for (const action of ['assign', 'unassign', 'close', 'reopen', 'revoke']) {
      expectError(await narrow.act(foreign.sessionId, action), 'session_not_found');
    }
    expectError(await narrow.send(foreign.sessionId, 'hello'), 'session_not_found');
    expectError(await narrow.request('POST', `${foreign.path}/notes`, { json: { body: 'x' } }), 'session_not_found');
    expectError(await narrow.request('PATCH', `${foreign.path}/contact`, { json: { name: 'x' } }), 'session_not_found');
    expectError(await narrow.request('POST', `${foreign.path}/read`, { json: { last_id: 1 } }), 'session_not_found');
    const listed = (await narrow.sessions({ q: 'Scope ' })).sessions.map((session) => session.id);
    expect(listed).toEqual(expect.arrayContaining([free.sessionId, mine.sessionId]));
    expect(listed).not.toContain(foreign.sessionId);
    expect((await narrow.sessions({ q: `scope ${foreign.sessionId}` })).sessions).toEqual([]);
    const { events } = await narrow.feedAfter(start);
    expect(events.some((event) => event.session_id === foreign.sessionId)).toBe(false);
    expect(events.some((event) => event.session_id === mine.sessionId)).toBe(true);
    const after = await narrow.alerts();
    expect(after.mine_unread).toBe(badge.mine_unread + 1);
    expect(after.alerts.some((alert) => alert.session_id === foreign.sessionId)).toBe(false);
  }, 30_000);

  test('[ASG10] receives the event that removes a session from view, and nothing after it', async () => {
    const narrow = await chat.foreignStaff({ scope: 'assigned', sub: 'narrow-loser' });
    // Known as a colleague from the first request on.
    await narrow.alerts();
    const boss = await chat.foreignStaff({ role: 'boss', sub: 'wide-boss' });
    const customer = await chat.customer();
    await boss.act(customer.sessionId, 'assign', { user_id: narrow.userId });
    const start = await narrow.feedHead();
    const channel = await chat.staffChannel(narrow);
    await boss.act(customer.sessionId, 'assign', { user_id: boss.userId });
    const lost = await channel.waitFor(
      (frame) => frame.type === 'chat.session.assigned' && frame.session_id === customer.sessionId,
    );
    expect(lost.data).toMatchObject({ assigned_user_id: boss.userId });
    await customer.post('not for the loser');
    await channel.roundTrip();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(channel.frames.filter((frame) => frame.session_id === customer.sessionId && frame.seq !== null)).toEqual([
      lost,
    ]);
    const { events } = await narrow.feedAfter(start);
    expect(events.filter((event) => event.session_id === customer.sessionId).map((event) => event.type)).toEqual([
      'chat.session.assigned',
    ]);
  });

  test('[ASG13] [STF6] an old cursor shows nothing of a session that has become another operator’s', async () => {
    const narrow = await chat.foreignStaff({ scope: 'assigned', sub: 'narrow-history' });
    const boss = await chat.foreignStaff({ role: 'boss', sub: 'wide-boss' });
    // One at each gateway of the stack, to know when the way there has brought what was done.
    const desks = [await chat.staffChannel(boss), await chat.staffChannel(boss)];
    const start = await boss.feedHead();
    const foreign = await chat.customer({ name: 'Secret Name', email: 'secret@example.test', phone: '+79990001122' });
    await foreign.post('secret words');
    await boss.note(foreign.sessionId, 'secret note');
    await boss.act(foreign.sessionId, 'assign');
    const free = await chat.customer({ name: 'Open Name' });
    await free.post('for all');
    // Whoever came before that would see the chat as it was while it was nobody's, as everybody did.
    for (const desk of desks) await desk.waitFor((frame) => frame.session_id === free.sessionId && frame.seq === 2);
    const { events } = await narrow.feedAfter(start);
    const channel = await chat.staffChannel(narrow, { cursor: start });
    await channel.waitFor((frame) => frame.session_id === free.sessionId && frame.seq === 2);
    const poll = await narrow.request('GET', `/channel/poll?type=staff&cursor=${start}&wait=0`);
    const sse = await chat.sse(`/channel/sse?type=staff&cursor=${start}`, { token: narrow.token });
    await sse.waitFor((frame) => frame.session_id === free.sessionId && frame.seq === 2);
    const taken = `{"type":"chat.session.assigned","session_id":${foreign.sessionId},`;
    for (const shown of [
      JSON.stringify(events),
      channel.frames.map((frame) => frame.raw).join('\n'),
      poll.text,
      sse.frames.map((frame) => frame.raw).join('\n'),
    ]) {
      expect(shown).toContain('Open Name');
      expect(shown).not.toMatch(/secret/i);
      // That it was taken is told: whoever saw it while it was nobody's lets go of it by that.
      expect(shown.replace(taken, '')).not.toContain(`"session_id":${foreign.sessionId},"seq"`);
      expect(shown).toContain(taken);
    }
  }, 30_000);

  test('[ASG12] [ASG14] scope own: sees own sessions only, on every path', async () => {
    const sub = `own-${Date.now()}`;
    const own = await chat.foreignStaff({ scope: 'own', sub });
    // Known as a colleague from the first request on.
    await own.alerts();
    const boss = await chat.foreignStaff({ role: 'boss', sub: 'wide-boss' });
    const start = await boss.feedHead();
    const [free, mine, foreign] = [
      await chat.customer({ name: `${sub} free` }),
      await chat.customer({ name: `${sub} mine` }),
      await chat.customer({ name: `${sub} foreign` }),
    ];
    await boss.act(mine.sessionId, 'assign', { user_id: own.userId });
    await boss.act(foreign.sessionId, 'assign');
    const request = { phone: '+7 999 000-11-22', name: sub, consent: true };
    const callbackOf = async (customer: Customer): Promise<number> => {
      const json = { ...request, session_id: customer.sessionId };
      const answer = await customer.http.post('/chat/callback', { json, token: customer.token });
      return answer.as(customerCallbackResponseSchema, 201).callback.id;
    };
    await callbackOf(free);
    const callback = await callbackOf(mine);
    await callbackOf(foreign);
    expect((await chat.visitor().post('/chat/callback', { json: request })).status).toBe(201);
    const channel = await chat.staffChannel(own);
    for (const customer of [free, foreign, mine]) await customer.post(`${sub} words`);
    await boss.note(foreign.sessionId, `${sub} note`);
    await channel.waitFor((frame) => frame.session_id === mine.sessionId && frame.type === 'chat.message.client');
    await channel.roundTrip();
    const others = [free.sessionId, foreign.sessionId];
    const strangers = (list: readonly { session_id: number | null }[]): unknown[] =>
      list.filter((one) => one.session_id !== null && others.includes(one.session_id));
    expect(strangers(channel.frames)).toEqual([]);
    const resumed = await chat.staffChannel(own, { cursor: start });
    await resumed.waitFor((frame) => frame.session_id === mine.sessionId && frame.type === 'chat.message.client');
    expect(strangers(resumed.frames)).toEqual([]);
    expect(strangers((await own.feedAfter(start)).events)).toEqual([]);
    const poll = await own.request('GET', `/channel/poll?type=staff&cursor=${start}&wait=0`);
    for (const id of others) expect(poll.text).not.toContain(`"session_id":${id},`);
    expect((await own.request('GET', mine.path)).status).toBe(200);
    for (const customer of [free, foreign]) {
      for (const suffix of ['', '/messages', '/events', '/notes'])
        expectError(await own.request('GET', customer.path + suffix), 'session_not_found');
      for (const action of ['assign', 'unassign', 'close', 'reopen', 'revoke'])
        expectError(await own.act(customer.sessionId, action), 'session_not_found');
      expectError(await own.send(customer.sessionId, 'hello'), 'session_not_found');
      expectError(await own.request('POST', `${customer.path}/read`, { json: { last_id: 1 } }), 'session_not_found');
    }
    expect((await own.send(mine.sessionId, 'hello')).status).toBe(201);
    expect((await own.request('POST', `${mine.path}/read`, { json: { last_id: 1 } })).status).toBe(200);
    expect((await own.sessions({ q: sub })).sessions.map(({ id }) => id)).toEqual([mine.sessionId]);
    expect((await own.sessions({ assigned: 'none' })).sessions).toEqual([]);
    const alerts = await own.alerts();
    expect(alerts).toMatchObject({ unassigned_unread: 0, mine_unread: 0, waiting_count: 0 });
    await mine.post('again');
    await expect.poll(async () => (await own.alerts()).mine_unread).toBe(1);
    const badge = await channel.waitFor(
      (frame) => frame.type === 'chat.alert' && JSON.stringify(frame.data['mine_unread']) === `{"${sub}":1}`,
    );
    expect(badge.data).toMatchObject({ unassigned_unread: 0, waiting_count: 1 });
    expect((await own.alerts()).alerts.every((alert) => alert.session_id === mine.sessionId)).toBe(true);
    const listed = (await own.request('GET', '/chat/callbacks')).as(callbacksResponseSchema).callbacks;
    expect(listed.map(({ id }) => id)).toEqual([callback]);
  }, 40_000);

  test('[ASG5] [TOK20] an operator cannot do what requires an admin', async () => {
    const [one, two] = [await chat.foreignStaff({ role: 'manager' }), await chat.foreignStaff({ role: 'manager' })];
    const customer = await chat.customer();
    await one.act(customer.sessionId, 'assign');
    expectError(await two.act(customer.sessionId, 'unassign'), 'already_assigned');
    expectError(await two.act(customer.sessionId, 'assign', { user_id: two.userId }), 'already_assigned');
    const boss = await chat.foreignStaff({ role: 'boss' });
    expect((await boss.act(customer.sessionId, 'unassign')).status).toBe(200);
  });
});
