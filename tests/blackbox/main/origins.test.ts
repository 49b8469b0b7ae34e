import { UpgradeRefused, WebSocketClient } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { ALLOWED_ORIGIN } from '../../support/profiles.ts';

const chat = await useChat('main');

const FOREIGN = [
  'https://evil.example',
  'null',
  'http://shop.example',
  'https://shop.example:444',
  'https://shop.example.evil.com',
  'https://evilshop.example',
  'https://sub.shop.example',
  'https://shop.example/',
  'https://shop.example, https://evil.example',
  'file://',
  '',
  'https://user@shop.example',
];

describe('origins', () => {
  test('[ORI1] no Origin at all: the token decides', async () => {
    const customer = await chat.customer();
    expect((await customer.request('GET', '')).status).toBe(200);
    const client = await chat.channel(customer);
    expect(client.closeEvent).toBeUndefined();
  });

  test("[ORI2] [ORI3] the request's own host and ALLOWED_ORIGINS are allowed on REST and all transports", async () => {
    for (const origin of [ALLOWED_ORIGIN, chat.baseUrl]) {
      const headers = { Origin: origin };
      const created = await chat.http.post('/chat/session', { json: {}, headers });
      expect(created.status).toBe(201);
      const customer = await chat.customer();
      await chat.channel(customer, { headers });
      const sse = await chat.sseChannel(customer, { headers });
      expect(sse.status).toBe(200);
      const poll = await chat.http.get(`/channel/poll?session=${customer.sessionId}`, {
        token: customer.token,
        headers,
      });
      expect(poll.status).toBe(200);
    }
  });

  test.each(FOREIGN.map((origin) => [origin === '' ? '(empty)' : origin, origin]))(
    '[ORI5] [ORI3] Origin %s is 403 on WebSocket, SSE, poll, stream link and POST',
    async (_name, origin) => {
      const customer = await chat.customer();
      const { url } = await customer.streamLink();
      const headers = { Origin: origin };
      const refused = await WebSocketClient.open(chat.baseUrl, {
        query: { session: customer.sessionId },
        protocols: ['chat.v1', `bearer.${customer.token}`],
        headers,
      }).then(
        (client) => client.close().then(() => 'was upgraded'),
        (error: unknown) => error,
      );
      expect(refused).toBeInstanceOf(UpgradeRefused);
      if (refused instanceof UpgradeRefused) expect(refused.status).toBe(403);
      const { token } = customer;
      for (const answer of [
        await chat.http.get(`/channel/sse?session=${customer.sessionId}`, { token, headers }),
        await chat.http.get(`/channel/poll?session=${customer.sessionId}`, { token, headers }),
        await chat.http.get(new URL(url, chat.baseUrl).pathname + new URL(url, chat.baseUrl).search, { headers }),
        await chat.http.post('/chat/session', { json: {}, headers }),
        await customer.request('POST', '/read', { json: { last_id: 0 }, headers }),
        await chat.http.post(`/channel/ack?session=${customer.sessionId}`, { token, json: { last_id: 1 }, headers }),
        await chat.http.post('/chat/callback', { json: { phone: '+4917012345678', consent: true }, headers }),
        await chat.http.post('/auth/login', { json: { login: 'x', password: 'y' }, headers }),
      ]) {
        expectError(answer, 'origin_not_allowed');
        expect(
          Object.keys(answer.headers).filter((name) => name.startsWith('access-control-')),
          answer.line,
        ).toEqual([]);
      }
    },
  );

  test('[ORI5] a foreign Origin is refused before the token is checked, and on PATCH', async () => {
    const headers = { Origin: 'https://evil.example' };
    expectError(await chat.http.get('/channel/poll?session=1&token=x', { headers }), 'origin_not_allowed');
    const anna = await chat.staff('anna');
    expectError(await anna.request('PATCH', '/chat/callbacks/1', { json: {}, headers }), 'origin_not_allowed');
  });

  test('[ORI7] allowed origins get CORS without credentials, with Retry-After exposed', async () => {
    const customer = await chat.customer();
    const headers = { Origin: ALLOWED_ORIGIN };
    for (const answer of [
      await chat.http.get('/chat/config', { headers }),
      await customer.request('GET', '', { headers }),
      await customer.request('GET', '/nothing', { headers }),
      await chat.http.get(`/channel/poll?session=${customer.sessionId}`, { token: customer.token, headers }),
      await chat.http.get(`/channel/poll?session=${customer.sessionId}&last_seq=99`, {
        token: customer.token,
        headers,
      }),
      await chat.http.get('/channel/poll?session=1&token=x', { headers }),
    ]) {
      expect(answer.header('access-control-allow-origin'), answer.line).toBe(ALLOWED_ORIGIN);
      expect(answer.header('vary')?.toLowerCase(), answer.line).toContain('origin');
      expect(answer.header('access-control-allow-credentials'), answer.line).toBeUndefined();
      expect(answer.header('access-control-expose-headers')?.toLowerCase(), answer.line).toContain('retry-after');
    }
    const stream = await chat.sseChannel(customer, { headers });
    expect(stream.headers['access-control-allow-origin']).toBe(ALLOWED_ORIGIN);
  });

  test('[ORI7] without an Origin there are no CORS headers, a foreign GET gets none either', async () => {
    const variants: Record<string, string>[] = [{}, { Origin: 'https://evil.example' }];
    for (const headers of variants) {
      const answer = await chat.http.get('/chat/config', { headers });
      expect(answer.header('access-control-allow-origin')).toBeUndefined();
    }
  });

  test.each([
    '/chat/session',
    '/chat/session/1/messages',
    '/chat/config',
    '/channel/poll',
    '/channel/sse',
    '/channel/ack',
  ])('[ORI8] preflight of %s from an allowed Origin is 204 with the headers of the contract', async (path) => {
    const answer = await chat.http.request('OPTIONS', path, {
      headers: {
        Origin: ALLOWED_ORIGIN,
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'authorization, content-type',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.header('access-control-allow-origin')).toBe(ALLOWED_ORIGIN);
    const allowed = (answer.header('access-control-allow-headers') ?? '').toLowerCase().split(/,\s*/);
    for (const name of [
      'authorization',
      'content-type',
      'x-resume-key',
      'x-file-name',
      'last-event-id',
      'idempotency-key',
    ]) {
      expect(allowed).toContain(name);
    }
    const methods = (answer.header('access-control-allow-methods') ?? '').toUpperCase();
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) expect(methods).toContain(method);
    expect(answer.header('access-control-allow-credentials')).toBeUndefined();
  });

  test('[ORI8] [ORI5] a preflight from a foreign Origin allows nothing', async () => {
    for (const origin of ['https://evil.example', 'null']) {
      const answer = await chat.http.request('OPTIONS', '/chat/session', {
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
      expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-allow'))).toEqual([]);
    }
  });
});
