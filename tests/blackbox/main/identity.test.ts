import { randomUUID } from 'node:crypto';
import { identityResponseSchema } from '@chat-realtime/protocol';
import { Customer } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { identityToken, rawJwt, type IdentityClaims, unixNow } from '../../support/tokens.ts';

const chat = await useChat('main');
const newSub = (): string => `shop-customer-${randomUUID()}`;

async function identify(claims: IdentityClaims, more: Record<string, unknown> = {}) {
  const answer = await chat.http.post('/chat/identity', {
    json: { identity_token: await identityToken(claims), ...more },
  });
  return answer.as(identityResponseSchema);
}

describe('identity', () => {
  test('[IDN1] [IDN2] an anonymous session becomes the customer’s and resumes on a second device', async () => {
    const sub = newSub();
    const firstDevice = await chat.customer();
    await firstDevice.post('from the phone');
    const taken = await identify({ sub }, { token: firstDevice.token, session_id: firstDevice.sessionId });
    expect(taken.session?.id).toBe(firstDevice.sessionId);
    const second = await identify({ sub });
    expect(second.sessions.map((session) => session.id)).toContain(firstDevice.sessionId);
    expect(second.session?.id).toBe(firstDevice.sessionId);
    const secondDevice = new Customer(chat.http, firstDevice.sessionId, second.token ?? '', '');
    expect((await secondDevice.messages()).messages.map((message) => message.body)).toEqual(['from the phone']);
    const one = await chat.channel(firstDevice);
    const two = await chat.channel(secondDevice);
    const message = await secondDevice.post('from the laptop');
    for (const channel of [one, two]) await channel.waitFor((frame) => frame.data['id'] === message.id);
  });

  test('[IDN1] a customer without a session gets none', async () => {
    const answer = await identify({ sub: newSub() });
    expect(answer.sessions).toEqual([]);
    expect(answer.session).toBeUndefined();
    expect(answer.token).toBeUndefined();
  });

  test('[IDN1] the newest open session is chosen, a closed one is listed', async () => {
    const sub = newSub();
    const [one, two] = [await chat.customer(), await chat.customer()];
    for (const customer of [one, two])
      await identify({ sub }, { token: customer.token, session_id: customer.sessionId });
    expect((await identify({ sub })).session?.id).toBe(two.sessionId);
    await (await chat.staff('anna')).act(two.sessionId, 'close');
    const after = await identify({ sub });
    expect(after.session?.id).toBe(one.sessionId);
    expect(after.sessions.map((session) => session.id).sort()).toEqual([one.sessionId, two.sessionId].sort());
  });

  test('[IDN2] repeated and racing calls give the same answer', async () => {
    const sub = newSub();
    const customer = await chat.customer();
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => identify({ sub }, { token: customer.token, session_id: customer.sessionId })),
    );
    for (const answer of answers) expect(answer.sessions.map((session) => session.id)).toEqual([customer.sessionId]);
  });

  test("[IDN3] another customer's session is not taken over", async () => {
    const owner = newSub();
    const customer = await chat.customer();
    await identify({ sub: owner }, { token: customer.token, session_id: customer.sessionId });
    const thief = await identityToken({ sub: newSub() });
    const fitting = await chat.http.post('/chat/identity', {
      json: { identity_token: thief, token: customer.token, session_id: customer.sessionId },
    });
    expectError(fitting, 'forbidden');
    const unfitting = await chat.http.post('/chat/identity', {
      json: { identity_token: thief, token: (await chat.customer()).token, session_id: customer.sessionId },
    });
    expectError(unfitting, 'bad_token');
    const withoutToken = await chat.http.post('/chat/identity', {
      json: { identity_token: thief, session_id: customer.sessionId },
    });
    expect([200, 401, 403, 404]).toContain(withoutToken.status);
    expect(withoutToken.text).not.toContain(`"id":${customer.sessionId},`);
    expect((await identify({ sub: owner })).session?.id).toBe(customer.sessionId);
  });

  test('[IDN3] racing claims of one session by two customers: one owner', async () => {
    const customer = await chat.customer();
    const subs = [newSub(), newSub()];
    const answers = await Promise.all(
      subs.map(async (sub) =>
        chat.http.post('/chat/identity', {
          json: { identity_token: await identityToken({ sub }), token: customer.token, session_id: customer.sessionId },
        }),
      ),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, 403]);
    const owned = await Promise.all(subs.map((sub) => identify({ sub })));
    expect(owned.filter((answer) => answer.sessions.length === 1)).toHaveLength(1);
  });

  test('[IDN4] sessions of the claim become the customer’s if they are anonymous', async () => {
    const [mine, foreign] = [await chat.customer(), await chat.customer()];
    const other = newSub();
    await identify({ sub: other }, { token: foreign.token, session_id: foreign.sessionId });
    const answer = await identify({ sub: newSub(), sessions: [mine.sessionId, foreign.sessionId, 999_999_999] });
    expect(answer.sessions.map((session) => session.id)).toEqual([mine.sessionId]);
    expect((await identify({ sub: other })).sessions.map((session) => session.id)).toEqual([foreign.sessionId]);
  });

  test('[IDN5] [TOK16] bad identity tokens are 401, expired ones say so', async () => {
    const now = unixNow();
    const key = 'identity-secret-two-0123456789abcdef';
    const claims = { aud: 'chat', sub: 'x', iat: now, exp: now + 300 };
    const header = { alg: 'HS256', typ: 'JWT', kid: 'shop2' };
    const bad = [
      await identityToken({ secret: 'w'.repeat(32) }),
      await identityToken({ aud: 'other' }),
      await identityToken({ exp: now + 601, iat: now }),
      await identityToken({ iat: now + 300, exp: now + 600 }),
      rawJwt({ alg: 'none' }, claims),
      rawJwt({ ...header, alg: 'HS512' }, claims, key),
      rawJwt(header, { ...claims, sub: '' }, key),
      rawJwt(header, { ...claims, sub: 7 }, key),
      rawJwt(header, { ...claims, exp: undefined }, key),
      rawJwt(header, { ...claims, iat: undefined }, key),
      rawJwt(header, [claims], key),
      rawJwt(header, 'text', key),
      (await identityToken()).slice(0, -2),
      'a.b.c',
      'garbage',
      (await chat.staff('anna')).token,
      (await chat.customer()).token,
    ];
    for (const token of bad)
      expectError(await chat.http.post('/chat/identity', { json: { identity_token: token } }), 'bad_token');
    const expired = await identityToken({ iat: now - 500, exp: now - 5 });
    expectError(await chat.http.post('/chat/identity', { json: { identity_token: expired } }), 'token_expired');
  });

  test('[TOK16] each secret of the ring is accepted', async () => {
    for (const kid of ['shop1', 'shop2']) expect((await identify({ kid })).sessions).toEqual([]);
  });

  test('[IDN5] the form is checked', async () => {
    const identity_token = await identityToken();
    const customer = await chat.customer();
    for (const json of [
      {},
      { identity_token: 7 },
      { identity_token, token: customer.token },
      { identity_token, session_id: 'x' },
    ]) {
      expectError(await chat.http.post('/chat/identity', { json }), 'validation_failed');
    }
    const badToken = { identity_token, token: `${customer.token}x`, session_id: customer.sessionId };
    expectError(await chat.http.post('/chat/identity', { json: badToken }), 'bad_token');
  });

  test('[IDN7] name, e-mail and phone become the contact', async () => {
    const customer = await chat.customer();
    const claims = { sub: newSub(), name: 'Known Customer', email: 'known@example.com', phone: '+493012345' };
    await identify(claims, { token: customer.token, session_id: customer.sessionId });
    const row = await (await chat.staff('anna')).row(customer.sessionId);
    expect(row.contact).toMatchObject({ name: 'Known Customer', email: 'known@example.com' });
    expect(row.contact.phone).toContain('493012345');
    expect(row.customer_id).toBe(claims.sub);
  });

  test("[IDN6] logout revokes tokens and links of the customer's sessions, and nobody else's", async () => {
    const sub = newSub();
    const customer = await chat.customer();
    const bystander = await chat.customer();
    const { token } = await identify({ sub }, { token: customer.token, session_id: customer.sessionId });
    const channel = await chat.channel(new Customer(chat.http, customer.sessionId, token ?? '', ''));
    const other = await chat.channel(bystander);
    const { url } = await customer.streamLink();
    const answer = await chat.http.post('/chat/identity/logout', {
      json: { identity_token: await identityToken({ sub }) },
    });
    expect(answer.status).toBe(204);
    expect((await channel.closed(5_000)).code).toBe(4505);
    for (const old of [token, customer.token])
      expectError(await chat.http.get(customer.path, { token: old }), 'token_revoked');
    const link = new URL(url, chat.baseUrl);
    expectError(await chat.http.get(link.pathname + link.search), 'token_revoked');
    await other.roundTrip();
    const back = await identify({ sub });
    expect((await chat.http.get(customer.path, { token: back.token })).status).toBe(200);
  });

  test('[IDN8] [TOK23] after the logout neither the old resume key nor a new chat with it shows anything', async () => {
    const sub = newSub();
    const guest = await chat.customer();
    const { resumeKey: resume_key } = guest;
    await identify({ sub }, { token: guest.token, session_id: guest.sessionId });
    for (const logout of [false, true]) {
      if (logout) {
        const identity_token = await identityToken({ sub });
        await chat.http.post('/chat/identity/logout', { json: { identity_token } });
      }
      const answer = await chat.http.get(`${guest.path}/channel-token`, { headers: { 'X-Resume-Key': resume_key } });
      expectError(answer, 'bad_credentials');
      expectError(await chat.http.post('/chat/session', { json: { resume_key } }), 'bad_credentials');
    }
  });

  test('[IDN6] logout with a bad token is 401', async () => {
    expectError(await chat.http.post('/chat/identity/logout', { json: { identity_token: 'a.b.c' } }), 'bad_token');
    expectError(await chat.http.post('/chat/identity/logout', { json: {} }), 'validation_failed');
  });
});
