import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { demoResponseSchema, PUBLIC_ROUTES } from '@chat-realtime/protocol';
import { disguises, GUARDED_ROUTES } from '../../support/routes.ts';
import { channelToken } from '../../support/tokens.ts';

const chat = await useChat('main');
const UNKNOWN = 999_999_999;
/** A chat of several services has no demo. */
const HERE = GUARDED_ROUTES.filter((route) => route.standalone !== true || chat.kind === 'standalone');

describe('guards', () => {
  test('[ERR13] [ASG9] refuse every call of the table that needs credentials', () => {
    const guarded = new Set(['staff', 'admin', 'customer', 'customer_or_staff']);
    const missing = PUBLIC_ROUTES.filter(({ access }) => guarded.has(access)).filter(({ method, path }) => {
      const pattern = new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
      return !GUARDED_ROUTES.some((one) => one.method === method && pattern.test(one.path(1).split('?')[0] ?? ''));
    });
    expect(missing.map(({ method, path }) => `${method} ${path}`)).toEqual([]);
  });

  test('[OPS37] [OPS23] only admins end the demo, from our own pages, and only standalone has one', async () => {
    const anna = await chat.staff('anna');
    const admin = await chat.staff('admin');
    const answer = await anna.request('GET', '/chat/demo');
    if (chat.kind !== 'standalone') {
      expectError(answer, 'not_found');
      expectError(await admin.request('DELETE', '/chat/demo'), 'not_found');
      expectError(await admin.request('POST', '/chat/demo/end'), 'not_found');
      return;
    }
    expect(answer.as(demoResponseSchema)).toEqual({ demo: true });
    for (const [method, path] of [
      ['DELETE', '/chat/demo'],
      ['POST', '/chat/demo/end'],
    ] as const) {
      expectError(await anna.request(method, path), 'forbidden');
      const headers = { Origin: 'https://evil.example' };
      expectError(await admin.request(method, path, { headers }), 'origin_not_allowed');
    }
    expect((await anna.request('GET', '/chat/demo')).as(demoResponseSchema)).toEqual({ demo: true });
  });

  test.each(HERE.map((route) => [`${route.method} ${route.path(1)}`, route] as const))(
    '[ERR13] [ASG9] %s without credentials is 401, unknown ids and bad bodies included',
    async (_name, route) => {
      const customer = await chat.customer();
      for (const id of [customer.sessionId, UNKNOWN]) {
        for (const raw of [undefined, '{', '[]']) {
          if (raw !== undefined && route.method === 'GET') continue;
          const answer = await chat.http.request(route.method, route.path(id), {
            ...(raw === undefined ? {} : { raw }),
            headers: raw === undefined ? {} : { 'Content-Type': 'application/json' },
          });
          expectError(answer, 'missing_credentials');
        }
      }
    },
  );

  test.each(
    HERE.filter((route) => route.who === 'staff').map((route) => [`${route.method} ${route.path(1)}`, route] as const),
  )("[ASG9] [TOK10] a customer's token is no staff token: %s is 401", async (_name, route) => {
    const customer = await chat.customer();
    const answer = await chat.http.request(route.method, route.path(customer.sessionId), {
      token: customer.token,
      ...(route.method === 'GET' ? {} : { json: {} }),
    });
    expectError(answer, 'bad_token');
  });

  test.each(
    HERE.filter((route) => route.who !== 'staff').map((route) => [`${route.method} ${route.path(1)}`, route] as const),
  )(
    "[SES11] another session's token is 401 bad_token on %s, as for a session that does not exist",
    async (_name, route) => {
      const mine = await chat.customer();
      const other = await chat.customer({ name: 'Other Person' });
      const options = { token: mine.token, ...(route.method === 'GET' ? {} : { json: {} }) };
      const foreign = await chat.http.request(route.method, route.path(other.sessionId), options);
      const unknown = await chat.http.request(route.method, route.path(UNKNOWN), options);
      const first = expectError(foreign, 'bad_token');
      const second = expectError(unknown, 'bad_token');
      expect(first.message).toBe(second.message);
      expect(foreign.text).not.toContain('Other Person');
    },
  );

  test('[ERR13] staff see 404 session_not_found for an unknown session on every session call', async () => {
    const admin = await chat.staff('admin');
    const bodies: Record<string, unknown> = {
      messages: { body: 'x', client_message_id: '00000000-0000-4000-8000-000000000001' },
      read: { last_id: 1 },
      notes: { body: 'x' },
    };
    for (const route of HERE) {
      const path = route.path(UNKNOWN);
      if (!path.includes(String(UNKNOWN)) || route.who === 'customer' || path.endsWith('/attachments')) continue;
      const body = bodies[path.split('/').at(-1) ?? ''] ?? {};
      const answer = await admin.request(route.method, path, route.method === 'GET' ? {} : { json: body });
      expectError(answer, 'session_not_found');
    }
  });

  test("[ERR13] [TOK3] a customer's token that names no existing session is 401, well signed or not", async () => {
    const answer = await chat.http.get(`/chat/session/${UNKNOWN}`, { token: channelToken(UNKNOWN) });
    expect([401, 404]).toContain(answer.status);
    expectError(answer, 'bad_token', 'session_not_found');
  });

  test('[ERR16] [ERR6] ids that are not whole numbers below 2^53 refer to nothing', async () => {
    const anna = await chat.staff('anna');
    const { token } = await chat.customer();
    for (const id of [
      '0',
      '-1',
      '1.5',
      '1e3',
      '0x10',
      'abc',
      '9007199254740992',
      '99999999999999999999',
      '%20',
      "1'",
      '1%0a',
      'null',
    ]) {
      const staff = await anna.request('GET', `/chat/session/${id}`);
      expect(staff.status, staff.line).toBe(404);
      expectError(staff, 'not_found', 'session_not_found');
      const customer = await chat.http.get(`/chat/session/${id}`, { token });
      expect([401, 404], customer.line).toContain(customer.status);
    }
  });

  test.each(HERE.map((route) => [`${route.method} ${route.path(1)}`, route] as const))(
    '[ERR14] no disguise of %s gets past its guard',
    async (_name, route) => {
      const { sessionId } = await chat.customer({ name: 'Hidden Person', message: undefined });
      for (const path of disguises(route.path(sessionId))) {
        for (const method of [route.method, 'HEAD', 'OPTIONS', 'GET', 'POST']) {
          const answer = await chat.http.request(method, path, {
            ...(method === 'POST' ? { json: {} } : {}),
            headers: {
              'X-HTTP-Method-Override': route.method,
              'X-Original-URL': route.path(sessionId),
              Accept: 'application/json',
            },
          });
          expect(answer.text, answer.line).not.toContain('Hidden Person');
          if (method === 'OPTIONS') continue;
          const isPage = (answer.header('content-type') ?? '').startsWith('text/html');
          if (answer.status < 400 && !isPage)
            expect.fail(`${answer.line} answered ${answer.status}: ${answer.text.slice(0, 200)}`);
        }
      }
    },
  );

  test('[ERR14] HEAD on a guarded route needs the same credentials and sends no body', async () => {
    const customer = await chat.customer();
    const without = await chat.http.request('HEAD', customer.path);
    expect([401, 404, 405]).toContain(without.status);
    const withToken = await chat.http.request('HEAD', customer.path, { token: customer.token });
    expect([200, 404, 405]).toContain(withToken.status);
    expect(withToken.body.length).toBe(0);
  });

  test('[ORI9] cookies are not credentials', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const headers = { Cookie: `token=${customer.token}; access_token=${anna.token}; session=${customer.sessionId}` };
    for (const path of [customer.path, '/chat/sessions', '/auth/me', `/channel/poll?session=${customer.sessionId}`]) {
      expectError(await chat.http.get(path, { headers }), 'missing_credentials');
    }
  });

  test('[ERR13] a token in the query of a REST call is not a credential', async () => {
    const customer = await chat.customer();
    expectError(await chat.http.get(`${customer.path}?token=${customer.token}`), 'missing_credentials');
    expectError(
      await chat.http.get(`/chat/sessions?access_token=${(await chat.staff('anna')).token}`),
      'missing_credentials',
    );
  });

  test('[OPS4] [INT1] internal paths are not reachable from outside', async () => {
    for (const path of [
      '/internal/catchup',
      '/internal/acks',
      '//internal/catchup',
      '/chat/../internal/catchup',
      '/INTERNAL/catchup',
    ]) {
      const answer = await chat.http.post(path, { json: { sessions: [], limit: 1 } });
      expect(answer.status, path).toBeGreaterThanOrEqual(400);
    }
  });
});
