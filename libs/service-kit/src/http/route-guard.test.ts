import { signChannelToken } from '@chat-realtime/protocol/tokens';
import { Controller, Get, Module } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Health } from '../health.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { expectError } from '../testing/expect-error.ts';
import { bearer, INTERNAL_KEY, Probe, ring, staffToken } from '../testing/probe.ts';
import { routeAccess } from './access.ts';
import { createHttpApp } from './create-http-app.ts';
import { listRoutes } from './route-table.ts';

let probe: Probe;
beforeAll(async () => {
  probe = await Probe.start();
});
afterAll(() => probe.app.close());

const now = (): number => Math.floor(Date.now() / 1000);

describe('route guard', () => {
  it('[ERR14] knows the access of every route', () => {
    const routes = listRoutes(probe.app);
    expect(routes.length).toBeGreaterThan(12);
    expect(
      routes
        .filter((route) => route.access.kind === 'public')
        .map((route) => `${route.method} ${route.url}`)
        .sort(),
    ).toEqual([
      'GET /chat/fails/:how',
      'GET /chat/ip',
      'GET /chat/large/:megabytes',
      'GET /chat/open',
      'GET /healthz',
      'GET /metrics',
      'GET /readyz',
      'HEAD /chat/fails/:how',
      'HEAD /chat/ip',
      'HEAD /chat/large/:megabytes',
      'HEAD /chat/open',
      'HEAD /healthz',
      'HEAD /metrics',
      'HEAD /readyz',
      'POST /chat/notes',
      'POST /chat/raw',
    ]);
  });
  it('[ERR14] refuses to start with a route that declares no access', async () => {
    @Controller()
    class Careless {
      @Get('chat/secrets')
      secrets(): string {
        return 'everything';
      }
    }
    @Module({ controllers: [Careless] })
    class CarelessModule {}
    const options = {
      logger: createLogger({ service: 'x', level: 'silent' }),
      metrics: createMetrics('x'),
      health: new Health(),
    };
    await expect(createHttpApp({ ...options, modules: [CarelessModule] })).rejects.toThrow(/declares no access/);
    const declared = createHttpApp({
      ...options,
      modules: [],
      configure: (server) => void server.get('/x', { config: routeAccess({ kind: 'staff' }) }, async () => 'x'),
    });
    const small = await declared;
    expect((await small.inject('/x')).statusCode).toBe(401);
    await small.close();
  });
  it('[TOK3] admits a customer only to their own session', async () => {
    const token = signChannelToken(ring, 5, now());
    const response = await fetch(`${probe.base}/chat/session/5`, { headers: bearer(token) });
    expect(await response.json()).toMatchObject({ principal: { kind: 'customer', sessionId: 5 } });
    await expectError(await fetch(`${probe.base}/chat/session/6`, { headers: bearer(token) }), 401, 'bad_token');
    await expectError(await probe.get(`/chat/session/5`), 401, 'missing_credentials');
    await expectError(
      await fetch(`${probe.base}/chat/session/5`, { headers: { authorization: token } }),
      401,
      'bad_token',
    );
    await expectError(await fetch(`${probe.base}/chat/session/5x`, { headers: bearer(token) }), 401, 'bad_token');
    await expectError(
      await fetch(`${probe.base}/chat/session/5`, { headers: bearer(await staffToken('admin')) }),
      401,
      'bad_token',
    );
    await expectError(
      await fetch(`${probe.base}/chat/session/5`, { headers: bearer(signChannelToken(ring, 5, now() - 86_400)) }),
      401,
      'token_expired',
    );
  });
  it('[TOK20] admits staff by role', async () => {
    const patch = (token: string): Promise<Response> =>
      fetch(`${probe.base}/chat/staff`, { method: 'PATCH', headers: bearer(token) });
    expect((await patch(await staffToken('operator'))).status).toBe(200);
    await expectError(await patch(await staffToken('customer')), 403, 'forbidden');
    await expectError(await patch(signChannelToken(ring, 5, now())), 401, 'bad_token');
    await expectError(
      await fetch(`${probe.base}/chat/admin`, { headers: bearer(await staffToken('operator')) }),
      403,
      'forbidden',
    );
    expect((await fetch(`${probe.base}/chat/admin`, { headers: bearer(await staffToken('admin')) })).status).toBe(200);
    for (const token of [await staffToken('operator'), signChannelToken(ring, 5, now())]) {
      expect((await fetch(`${probe.base}/chat/either/5`, { headers: bearer(token) })).status).toBe(200);
    }
  });
  it('[INT1] admits internal calls only with the key', async () => {
    await expectError(
      await probe.post('/internal/thing', '{}', { 'content-type': 'application/json', ...bearer('wrong') }),
      401,
      'bad_token',
    );
    await expectError(await probe.post('/internal/thing', '{}'), 401, 'missing_credentials');
    expect(
      (await probe.post('/internal/thing', '{}', { 'content-type': 'application/json', ...bearer(INTERNAL_KEY) }))
        .status,
    ).toBe(201);
  });
  it('[ERR14] cannot be bypassed by another spelling of method or path', async () => {
    const paths = [
      '/chat/admin/',
      '//chat/admin',
      '/chat//admin',
      '/chat/%61dmin',
      '/%63hat/admin',
      '/CHAT/admin',
      '/chat/Admin',
      '/chat/admin;x',
      '/chat/admin%2f',
      '/chat/x/../admin',
      '/chat/x/..%2fadmin',
      '/chat/admin%00',
      '/chat/./admin',
      '/chat\\admin',
      '/chat/admin?x=/chat/open',
      '/chat/admin#x',
      'http://evil.example/chat/admin',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'TRACE', 'PROPFIND']) {
        const { status } = await probe.raw(method, path, { 'x-http-method-override': 'GET' });
        expect({ path, method, status, refused: status >= 400 }).toMatchObject({ refused: true });
      }
    }
    expect((await probe.raw('HEAD', '/chat/admin')).status).toBe(401);
    expect((await probe.raw('HEAD', '/chat/open')).status).toBe(200);
  });
  it('[ERR13] refuses before it reads a body', async () => {
    await expectError(
      await fetch(`${probe.base}/chat/staff`, {
        method: 'PATCH',
        body: '{broken',
        headers: { 'content-type': 'application/json' },
      }),
      401,
      'missing_credentials',
    );
  });
});
