import { channelTokenResponseSchema, type ErrorCode } from '@chat-realtime/protocol';
import { type Customer, type HttpAnswer, SseClient, WebSocketClient } from '@chat-realtime/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { SECRETS } from '../../support/profiles.ts';
import { channelToken, flipped, identityToken, streamSignature, unixNow } from '../../support/tokens.ts';

const chat = await useChat('main');
let customer: Customer;
beforeAll(async () => {
  customer = await chat.customer();
});

/** One token, asked for over every way in: [TOK21] the verdict is the same. */
async function verdicts(
  token: string,
): Promise<{ rest: HttpAnswer; poll: HttpAnswer; sse: HttpAnswer; close: number; protocol: number }> {
  const { sessionId } = customer;
  const encoded = encodeURIComponent(token);
  const query = await WebSocketClient.open(chat.baseUrl, { query: { session: sessionId, token } });
  const firstFrame = await WebSocketClient.open(chat.baseUrl);
  firstFrame.send({ type: 'auth', session_id: sessionId, token });
  const result = {
    rest: await chat.http.get(`/chat/session/${sessionId}`, { token }),
    poll: await chat.http.get(`/channel/poll?session=${sessionId}&token=${encoded}`),
    sse: await chat.http.get(`/channel/sse?session=${sessionId}&token=${encoded}`),
    close: (await query.closed()).code,
    protocol: (await firstFrame.closed()).code,
  };
  expect([...query.frames, ...firstFrame.frames].filter((frame) => frame.type === 'channel.ready')).toEqual([]);
  return result;
}

async function expectVerdict(token: string, code: ErrorCode, closeCode: number): Promise<void> {
  const seen = await verdicts(token);
  expectError(seen.rest, code);
  expectError(seen.poll, code);
  expectError(seen.sse, code);
  expect(seen.close).toBe(closeCode);
  expect(seen.protocol).toBe(closeCode);
}

describe('channel tokens', () => {
  test('[TOK1] [TOK8] a token made by the formula is accepted, of each key of the ring', async () => {
    for (const kid of ['k2', 'k1']) {
      const token = channelToken(customer.sessionId, unixNow(), { kid });
      expect((await chat.http.get(customer.path, { token })).status).toBe(200);
      const client = await chat.webSocket({ query: { session: customer.sessionId, token } });
      expect((await client.ready()).data['session_id']).toBe(customer.sessionId);
    }
  });

  test('[TOK8] [TOK1] the first secret of the ring signs', () => {
    expect(customer.token).toMatch(/^k2\.\d{10}\.[A-Za-z0-9_-]{43}$/);
    expect(customer.token).toBe(channelToken(customer.sessionId, Number(customer.token.split('.')[1])));
  });

  test('[TOK8] [TOK21] a token of an unknown kid is bad everywhere', async () => {
    await expectVerdict(
      channelToken(customer.sessionId, unixNow(), { kid: 'k9', secret: 'x'.repeat(32) }),
      'bad_token',
      4501,
    );
  });

  test('[TOK3] [TOK21] a token of another session is bad everywhere', async () => {
    await expectVerdict((await chat.customer()).token, 'bad_token', 4501);
  });

  test('[TOK5] [TOK21] a forged token is bad everywhere', async () => {
    await expectVerdict(flipped(customer.token), 'bad_token', 4501);
    await expectVerdict(channelToken(customer.sessionId, unixNow(), { secret: 'y'.repeat(32) }), 'bad_token', 4501);
  });

  test('[TOK6] [TOK21] an expired token says so everywhere', async () => {
    await expectVerdict(channelToken(customer.sessionId, unixNow() - 86_400), 'token_expired', 4401);
    await expectVerdict(channelToken(customer.sessionId, 0), 'token_expired', 4401);
  });

  test('[TOK6] a token of almost 24 h is still valid, and its expiry is reported', async () => {
    const createdAt = unixNow() - 86_400 + 30;
    const token = channelToken(customer.sessionId, createdAt);
    const client = await chat.webSocket({ query: { session: customer.sessionId, token } });
    const expiresAt = (await client.ready()).data['expires_at'];
    expect(Date.parse(String(expiresAt))).toBe((createdAt + 86_400) * 1_000);
  });

  test('[TOK7] [TOK21] a token from the future is bad, except within the allowed clock difference', async () => {
    await expectVerdict(channelToken(customer.sessionId, unixNow() + 90), 'bad_token', 4501);
    const near = channelToken(customer.sessionId, unixNow() + 50);
    expect((await chat.http.get(customer.path, { token: near })).status).toBe(200);
  });

  test('[TOK4] only the canonical spelling is accepted', async () => {
    const { token } = customer;
    const [kid = '', seconds = '', signature = ''] = token.split('.');
    const standard = Buffer.from(signature, 'base64url').toString('base64');
    const spellings = [
      token.slice(0, -1),
      `${token}=`,
      `${token}A`,
      `${kid}.${seconds}.${standard}`,
      `${kid}.0${seconds}.${signature}`,
      `${kid}.+${seconds}.${signature}`,
      `${kid}.${seconds}.0.${signature}`,
      `${kid}.${seconds}`,
      `${kid}..${signature}`,
      `.${seconds}.${signature}`,
      `${kid}.${seconds}.`,
      `${kid.toUpperCase()}.${seconds}.${signature}`,
      `${kid}.${Number(seconds).toString(16)}.${signature}`,
      `${kid}.${seconds}.${signature.toLowerCase()}`,
      'undefined',
      'null',
      '..',
      'a'.repeat(5_000),
    ];
    for (const spelling of spellings) {
      expectError(await chat.http.get(customer.path, { token: spelling }), 'bad_token');
      const answer = await chat.http.get(
        `/channel/poll?session=${customer.sessionId}&token=${encodeURIComponent(spelling)}`,
      );
      expectError(answer, 'bad_token');
    }
    const last = token.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = alphabet.charAt(alphabet.indexOf(last) + 1);
    expectError(await chat.http.get(customer.path, { token: token.slice(0, -1) + twin }), 'bad_token');
  });

  test('[TOK4] [TOK21] a truncated token is bad everywhere', async () => {
    await expectVerdict(customer.token.slice(0, -3), 'bad_token', 4501);
  });

  test('[TOK4] other spellings of the header are no credentials or bad ones', async () => {
    const headers = [
      `bearer ${customer.token}`,
      `Bearer  ${customer.token}`,
      `Basic ${customer.token}`,
      customer.token,
      'Bearer',
      'Bearer ',
    ];
    for (const authorization of headers) {
      const answer = await chat.http.get(customer.path, { headers: { Authorization: authorization } });
      if (answer.status !== 200) expectError(answer, 'missing_credentials', 'bad_token');
      if (authorization.startsWith('Basic') || authorization === customer.token) expect(answer.status).toBe(401);
    }
  });

  test('[TOK10] a stream signature, a resume key, an identity token and a staff JWT are no channel token', async () => {
    const others = [
      streamSignature(customer.sessionId, unixNow() + 3_600),
      customer.resumeKey,
      await identityToken({ sessions: [customer.sessionId] }),
      SECRETS.siteKey,
    ];
    for (const token of others) {
      expectError(await chat.http.get(customer.path, { token }), 'bad_token');
      expectError(await chat.http.get(`/channel/poll?session=${customer.sessionId}&token=${token}`), 'bad_token');
    }
    const anna = await chat.staff('anna');
    expectError(await chat.http.get(`/channel/poll?session=${customer.sessionId}&token=${anna.token}`), 'bad_token');
    expectError(await chat.http.get(`/channel/poll?type=staff&access_token=${customer.token}`), 'bad_token');
  });

  test('[TOK13] [SES9] a channel token gives no new one, nor does an expired one', async () => {
    for (const token of [customer.token, channelToken(customer.sessionId, unixNow() - 90_000)]) {
      const answer = await chat.http.get(`${customer.path}/channel-token`, { token });
      expect(answer.status).toBe(401);
      expectError(answer, 'bad_token', 'missing_credentials', 'bad_credentials', 'token_expired');
    }
  });
});

describe('getting a channel token', () => {
  test('[SES8] with the resume key', async () => {
    const answer = await chat.http.get(`${customer.path}/channel-token`, {
      headers: { 'X-Resume-Key': customer.resumeKey },
    });
    const { token, expires_at } = answer.as(channelTokenResponseSchema);
    expect(answer.header('cache-control')).toContain('no-store');
    expect((await chat.http.get(customer.path, { token })).status).toBe(200);
    expect(Date.parse(expires_at)).toBe((Number(token.split('.')[1]) + 86_400) * 1_000);
  });

  test('[SES8] [TOK15] with the site key, for any session', async () => {
    const path = `${customer.path}/channel-token`;
    const good = await chat.http.get(path, { headers: { 'X-Site-Key': SECRETS.siteKey } });
    const { token } = good.as(channelTokenResponseSchema);
    expect((await chat.http.get(customer.path, { token })).status).toBe(200);
    for (const key of ['', 'wrong', `${SECRETS.siteKey}x`, SECRETS.siteKey.slice(0, -1)]) {
      const bad = await chat.http.get(path, { headers: { 'X-Site-Key': key } });
      expectError(bad, 'bad_credentials', 'missing_credentials');
    }
    const unknown = await chat.http.get('/chat/session/999999999/channel-token', {
      headers: { 'X-Site-Key': SECRETS.siteKey },
    });
    expectError(unknown, 'session_not_found');
  });

  test("[SES8] with the owner's identity token, not with another customer's", async () => {
    const sub = `owner-${customer.sessionId}`;
    const mine = await chat.customer();
    const taken = await chat.http.post('/chat/identity', {
      json: { identity_token: await identityToken({ sub }), token: mine.token, session_id: mine.sessionId },
    });
    expect(taken.status).toBe(200);
    const good = await chat.http.get(`${mine.path}/channel-token`, { token: await identityToken({ sub }) });
    good.as(channelTokenResponseSchema);
    const foreign = await chat.http.get(`${mine.path}/channel-token`, {
      token: await identityToken({ sub: 'somebody-else' }),
    });
    expect(foreign.status).toBe(401);
  });

  test("[SES8] nothing, a wrong or another session's resume key are 401", async () => {
    const path = `${customer.path}/channel-token`;
    expectError(await chat.http.get(path), 'missing_credentials');
    const other = await chat.customer();
    for (const key of [
      other.resumeKey,
      'short',
      customer.resumeKey.toLowerCase() + 'x',
      '',
      flipped(`a.b.${customer.resumeKey}`).slice(4),
    ]) {
      const answer = await chat.http.get(path, { headers: { 'X-Resume-Key': key } });
      expect(answer.status, key).toBe(401);
      expectError(answer, 'bad_credentials', 'missing_credentials');
    }
    const unknown = await chat.http.get('/chat/session/999999999/channel-token', {
      headers: { 'X-Resume-Key': customer.resumeKey },
    });
    expect(unknown.status).toBe(401);
  });
});

describe('stream links', () => {
  test('[SES10] [TOK2] the link of the answer works and is signed by the formula', async () => {
    const before = unixNow();
    const answer = await customer.request('POST', '/stream-link', { json: {} });
    expect(answer.status).toBe(200);
    expect(answer.header('cache-control')).toContain('no-store');
    const { url, expires_at } = await customer.streamLink();
    const link = new URL(url, chat.baseUrl);
    expect(link.pathname).toBe(`/chat/${customer.sessionId}/stream`);
    const expiresAt = Date.parse(expires_at) / 1_000;
    expect(expiresAt).toBeGreaterThanOrEqual(before + 3_600);
    expect(expiresAt).toBeLessThanOrEqual(unixNow() + 3_600);
    expect(link.searchParams.get('sig')).toBe(streamSignature(customer.sessionId, expiresAt));
    const stream = chat.keep(await SseClient.ready(chat.baseUrl, link.pathname + link.search));
    expect(stream.status).toBe(200);
  });

  test('[SES10] [TOK11] expires_in is 60 to 86,400 s', async () => {
    const { expires_at } = await customer.streamLink({ expires_in: 86_400 });
    expect(Math.abs(Date.parse(expires_at) / 1_000 - unixNow() - 86_400)).toBeLessThanOrEqual(2);
    for (const expires_in of [59, 86_401, -1, 1.5, '60', null]) {
      expectError(await customer.request('POST', '/stream-link', { json: { expires_in } }), 'validation_failed');
    }
  });

  test('[TOK11] [SSE9] expired, forged, foreign and too long links are 401', async () => {
    const id = customer.sessionId;
    const good = streamSignature(id, unixNow() + 600);
    const other = await chat.customer();
    for (const [sig, code] of [
      [streamSignature(id, unixNow() - 1), 'token_expired'],
      [streamSignature(id, unixNow() + 86_400 + 120), 'bad_token'],
      [streamSignature(other.sessionId, unixNow() + 600), 'bad_token'],
      [streamSignature(id, unixNow() + 600, { secret: 'z'.repeat(32) }), 'bad_token'],
      [flipped(good), 'bad_token'],
      [good.slice(0, -1), 'bad_token'],
      [customer.token, 'bad_token'],
    ] as const) {
      expectError(await chat.http.get(`/chat/${id}/stream?sig=${sig}`), code);
    }
    expectError(await chat.http.get(`/chat/${id}/stream`), 'missing_credentials');
    expectError(await chat.http.get(`/chat/${id}/stream?sig=`), 'missing_credentials', 'bad_token');
    expectError(await chat.http.get(`/chat/${other.sessionId}/stream?sig=${good}`), 'bad_token');
    expect((await chat.http.get(`/chat/abc/stream?sig=${good}`)).status).toBeGreaterThanOrEqual(400);
  });

  test('[TOK10] [SSE9] a channel token does not open the stream link, nor in the header', async () => {
    const answer = await chat.http.get(`/chat/${customer.sessionId}/stream`, { token: customer.token });
    expect(answer.status).toBe(401);
  });
});
