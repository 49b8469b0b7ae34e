import { WebSocketClient } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { SECRETS } from '../../support/profiles.ts';

const chat = await useChat('main');

/** What a connection became: who it was opened for, or how it was refused. */
async function became(query: Record<string, string | number>, protocols: string[] = []): Promise<unknown> {
  const client = await WebSocketClient.open(chat.baseUrl, { query, protocols }).catch((error: unknown) => error);
  if (!(client instanceof WebSocketClient)) return 'refused';
  await Promise.race([client.ready().catch(() => undefined), client.closed()]);
  const ready = client.frames.find((frame) => frame.type === 'channel.ready');
  await client.close();
  return ready === undefined ? 'refused' : (ready.data['user_id'] ?? ready.data['session_id']);
}

describe('requests with contradicting credentials', () => {
  test("[TOK10] [WS7] a customer's token never opens the staff channel, a staff token no session", async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const { sessionId, token } = customer;
    const attempts: Record<string, string | number>[] = [
      { type: 'staff', token },
      { type: 'staff', access_token: token },
      { type: 'staff', session: sessionId, access_token: token },
      { session: sessionId, token: anna.token },
      { session: sessionId, access_token: anna.token },
    ];
    for (const query of attempts) {
      expect(await became(query), JSON.stringify(Object.keys(query))).toBe('refused');
    }
    expect(await became({ type: 'staff' }, ['chat.v1', `bearer.${token}`])).toBe('refused');
    expect(await became({ session: sessionId }, ['chat.v1', `bearer.${anna.token}`])).toBe('refused');
    const both = await became({ type: 'staff', session: sessionId, token });
    expect(['refused', sessionId]).toContain(both);
    expect([anna.userId, 'refused']).toContain(
      await became({ type: 'staff', session: sessionId, access_token: anna.token }),
    );
  });

  test('[TOK3] parameters given twice give access to nothing that one alone would not', async () => {
    const [customer, other] = [await chat.customer(), await chat.customer()];
    const { sessionId, token } = customer;
    for (const path of [
      `/channel/ws?session=${other.sessionId}&session=${sessionId}&token=${token}`,
      `/channel/ws?session=${sessionId}&session=${other.sessionId}&token=${token}`,
    ]) {
      const client = await WebSocketClient.open(chat.baseUrl, { path }).catch(() => undefined);
      if (client === undefined) continue;
      await Promise.race([client.ready().catch(() => undefined), client.closed()]);
      expect(client.frames.find((frame) => frame.type === 'channel.ready')?.data['session_id'] ?? sessionId).toBe(
        sessionId,
      );
      await client.close();
    }
    for (const path of [
      `/channel/poll?session=${other.sessionId}&session=${sessionId}&token=${token}&last_seq=0`,
      `/channel/poll?session=${sessionId}&session=${other.sessionId}&token=${token}&last_seq=0`,
    ]) {
      const answer = await chat.http.get(path);
      expect(answer.text).not.toContain(`"session_id":${other.sessionId}`);
    }
  });

  test('[FRM8] an auth frame with both kinds of credentials gives access at most to what is proven', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const client = await chat.webSocket();
    client.send({ type: 'auth', session_id: customer.sessionId, token: 'garbage', access_token: anna.token });
    await Promise.race([client.ready().catch(() => undefined), client.closed()]);
    const ready = client.frames.find((frame) => frame.type === 'channel.ready');
    expect(ready?.data['session_id']).toBeUndefined();
  });

  test('[TOK21] a valid token in the header does not make up for a bad one in the query, nor the other way round', async () => {
    const [customer, other] = [await chat.customer(), await chat.customer()];
    const mixed = await chat.http.get(`/channel/poll?session=${other.sessionId}&token=${other.token}&last_seq=0`, {
      token: customer.token,
    });
    expect([200, 401]).toContain(mixed.status);
    const foreign = await chat.http.get(`/channel/poll?session=${other.sessionId}&last_seq=0`, {
      token: customer.token,
    });
    expectError(foreign, 'bad_token');
  });
});

describe('throttled sign-in', () => {
  test('[RATE4] [ERR10] ten failures of one login from one address block only that login and address', async () => {
    const http = chat.visitor();
    const elsewhere = chat.visitor();
    const login = (client: typeof http, name: string, password: string) =>
      client.post('/auth/login', { json: { login: name, password } });
    for (let index = 0; index < 10; index += 1)
      expectError(await login(http, 'boris', `wrong ${index}`), 'bad_credentials');
    expectError(await login(http, 'boris', 'wrong again'), 'rate_limited');
    expectError(await login(http, 'boris', SECRETS.operatorPassword), 'rate_limited');
    const spoofed = await http.post('/auth/login', {
      json: { login: 'boris', password: SECRETS.operatorPassword },
      headers: { 'X-Forwarded-For': '203.0.113.77' },
    });
    expectError(spoofed, 'rate_limited');
    expect((await login(http, 'anna', SECRETS.operatorPassword)).status).toBe(200);
    expect((await login(elsewhere, 'boris', SECRETS.operatorPassword)).status).toBe(200);
  }, 30_000);
});
