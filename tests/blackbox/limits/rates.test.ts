import { HttpClient, messageRequest, solved, UpgradeRefused, WebSocketClient } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { freshAddress, useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { RATES } from '../../support/profiles.ts';
import { challengeOf } from '../../support/challenge.ts';

const chat = await useChat('limits', { keepConnections: true });

describe.concurrent('rates', () => {
  test('[RATE1] [ERR10] upgrades, SSE and polls share one rate per address; on an upgrade 429 comes before it', async () => {
    const customer = await chat.customer();
    const address = freshAddress();
    const http = new HttpClient(chat.baseUrl, { localAddress: address });
    const path = `/channel/poll?session=${customer.sessionId}&token=${customer.token}`;
    const start = Date.now();
    const statuses: number[] = [];
    for (let index = 0; index < RATES.connectPer10s - 2; index += 1) statuses.push((await http.get(path)).status);
    const socket = await chat.channel(customer, { localAddress: address });
    await socket.close();
    const stream = await chat.sseChannel(customer, { localAddress: address });
    stream.close();
    expect(statuses.every((status) => status === 200)).toBe(true);
    // Each gateway counts for itself: behind a proxy all of them must have refused before the rest is looked at.
    let admitted = 0;
    let refused = await http.get(path);
    for (let inARow = refused.status === 429 ? 1 : 0; inARow < (chat.kind === 'standalone' ? 1 : 4); ) {
      if (refused.status !== 429) admitted += 1;
      refused = await http.get(path);
      inARow = refused.status === 429 ? inARow + 1 : 0;
      expect(admitted).toBeLessThanOrEqual(RATES.connectPer10s);
    }
    if (chat.kind === 'standalone') expect(admitted).toBe(0);
    expect(Date.now() - start, 'the machine was too slow for this test').toBeLessThan(9_000);
    expectError(refused, 'rate_limited');
    expect(Number(refused.header('retry-after'))).toBeLessThanOrEqual(10);
    expectError(await http.get(path.replace('poll', 'sse')), 'rate_limited');
    const upgrade: unknown = await WebSocketClient.open(chat.baseUrl, {
      query: { session: customer.sessionId, token: customer.token },
      localAddress: address,
    }).catch((error: unknown) => error);
    expect(upgrade).toBeInstanceOf(UpgradeRefused);
    if (upgrade instanceof UpgradeRefused) {
      expect(upgrade.status).toBe(429);
      expect(upgrade.headers['retry-after']).toMatch(/^[1-9]\d*$/);
    }
    const spoofed = await http.get(path, {
      headers: { 'X-Forwarded-For': '203.0.113.9', 'X-Real-IP': '203.0.113.9', Forwarded: 'for=203.0.113.9' },
    });
    expectError(spoofed, 'rate_limited');
    expect((await chat.visitor().get(path)).status).toBe(200);
    expect((await http.get(`/chat/session/${customer.sessionId}`, { token: customer.token })).status).toBe(200);
    await new Promise((resolve) => setTimeout(resolve, Number(refused.header('retry-after')) * 1_000 + 200));
    expect((await http.get(path)).status).toBe(200);
  }, 40_000);

  test('[RATE2] [RATE7] limits new sessions per address, whatever X-Forwarded-For says', async () => {
    const http = chat.visitor();
    const statuses: number[] = [];
    for (let index = 0; index < RATES.sessionsPerMinute; index += 1)
      statuses.push((await http.post('/chat/session', { json: {} })).status);
    expect(statuses).not.toContain(429);
    expectError(await http.post('/chat/session', { json: {} }), 'rate_limited');
    for (const spoof of ['203.0.113.7', '127.0.0.1', '::1', '203.0.113.7, 127.0.0.1']) {
      expectError(
        await http.post('/chat/session', { json: {}, headers: { 'X-Forwarded-For': spoof } }),
        'rate_limited',
      );
    }
    expect((await chat.visitor().post('/chat/session', { json: {} })).status).toBe(201);
  });

  test('[RATE21] a client that starts many chats must solve a challenge for each further one, and each solution opens one chat', async () => {
    const http = chat.visitor();
    const begin = async (json: object = {}) => http.post('/chat/session', { json });
    for (let index = 0; index < RATES.startsWithoutProof; index += 1) expect((await begin()).status).toBe(201);
    const challenge = challengeOf(await begin());
    const solution = solved(challenge);
    const begun = await begin({ challenge_solution: solution });
    expect(begun.status).toBe(201);
    const next = challengeOf(await begin({ challenge_solution: solution }));
    expect(next.challenge).not.toBe(challenge.challenge);
    challengeOf(await begin({ challenge_solution: 'nonsense' }));
    expect((await chat.visitor().post('/chat/session', { json: {} })).status).toBe(201);
  });

  test('[RATE3] limits messages per principal: a session, a staff sub', async () => {
    const customer = await chat.customer();
    const other = await chat.customer();
    const staff = await chat.foreignStaff();
    const colleague = await chat.foreignStaff();
    for (let index = 0; index < RATES.messagesPerMinute; index += 1) await customer.post(`m${index}`);
    expectError(await customer.request('POST', '/messages', { json: messageRequest('one too many') }), 'rate_limited');
    await customer.renewToken();
    expectError(
      await customer.request('POST', '/messages', { json: messageRequest('with a new token') }),
      'rate_limited',
    );
    await other.post('another session');
    for (let index = 0; index < RATES.messagesPerMinute; index += 1)
      await staff.post(index % 2 === 0 ? customer.sessionId : other.sessionId, `s${index}`);
    expectError(await staff.send(other.sessionId, 'one too many'), 'rate_limited');
    await colleague.post(customer.sessionId, 'a colleague');
    expect((await customer.messages()).messages.filter((message) => message.body.includes('too many'))).toEqual([]);
  });
});
