import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { KeyRing, signChannelToken } from '@chat-realtime/protocol/tokens';
import { ChatError, errorResponseSchema } from '@chat-realtime/protocol';
import { TokenVerifier } from '@chat-realtime/verifier';
import { Body, Controller, Get, HttpCode, Module, Param, Patch, Post, Query, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { TrustedProxies } from '../client-ip.ts';
import { Health } from '../health.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { OriginPolicy } from '../origin-policy.ts';
import { ClientIp, Principal, Public, RawBody, RequireAdmin, RequireCustomer, RequireCustomerOrStaff, RequireInternal, RequireStaff, routeAccess } from './access.ts';
import { createHttpApp } from './create-http-app.ts';
import { listRoutes } from './route-table.ts';

const JWT_SECRET = 'jwt-secret-jwt-secret-jwt-secret-jwt';
const INTERNAL_KEY = 'internal-key-internal-key-internal-key';
const ring = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');
const noteSchema = z.object({ body: z.string().min(1), count: z.int().optional() });
const pageSchema = z.object({ limit: z.coerce.number().int().min(1).max(500).default(100) });

@Controller()
class ProbeController {
  @Get('chat/open')
  @Public()
  open(@Query({ schema: pageSchema }) page: z.infer<typeof pageSchema>): { limit: number } {
    return { limit: page.limit };
  }

  @Post('chat/notes')
  @Public()
  @HttpCode(201)
  note(@Body({ schema: noteSchema }) note: z.infer<typeof noteSchema>): { note: unknown } {
    return { note };
  }

  @Get('chat/session/:id')
  @RequireCustomer()
  customer(@Principal() principal: Principal): { principal: Principal } {
    return { principal };
  }

  @Get('chat/either/:id')
  @RequireCustomerOrStaff()
  either(@Principal() principal: Principal): { kind: string } {
    return { kind: principal.kind };
  }

  @Patch('chat/staff')
  @RequireStaff()
  staff(@Principal() principal: Principal): { principal: Principal } {
    return { principal };
  }

  @Get('chat/admin')
  @RequireAdmin()
  admin(): { ok: true } {
    return { ok: true };
  }

  @Post('internal/thing')
  @RequireInternal()
  internal(): { ok: true } {
    return { ok: true };
  }

  @Post('chat/raw')
  @Public()
  @RawBody()
  async raw(@Req() request: FastifyRequest): Promise<{ size: number }> {
    let size = 0;
    for await (const chunk of request.raw) size += Buffer.byteLength(chunk);
    return { size };
  }

  @Get('chat/fails/:how')
  @Public()
  fails(@Param('how') how: string): never {
    if (how === 'busy') throw new ChatError('rate_limited', 'slow down', { retryAfterSeconds: 7 });
    throw new Error('database password is hunter2');
  }

  @Get('chat/ip')
  @Public()
  ip(@ClientIp() ip: string): { ip: string } {
    return { ip };
  }
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

let app: NestFastifyApplication;
let base: string;
const health = new Health();
const lines: string[] = [];

beforeAll(async () => {
  app = await createHttpApp({
    modules: [ProbeModule],
    logger: createLogger({ service: 'probe', level: 'debug', destination: { write: (line) => void lines.push(line) } }),
    metrics: createMetrics('probe'),
    health,
    verifier: TokenVerifier.create({
      channelSecrets: ring,
      staff: { keys: { kind: 'secret', secret: JWT_SECRET }, issuer: 'site', audience: 'chat' },
    }),
    internalApiKey: INTERNAL_KEY,
    origins: OriginPolicy.create({ allowed: ['https://shop.example'], demo: false }),
    trustedProxies: TrustedProxies.parse(['127.0.0.1']),
    port: 0,
  });
  base = await app.getUrl();
});
afterAll(() => app.close());

const now = (): number => Math.floor(Date.now() / 1000);
function staffToken(role: string): Promise<string> {
  return new SignJWT({ role })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('site')
    .setAudience('chat')
    .setSubject('7')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(Buffer.from(JWT_SECRET));
}
const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

async function expectError(response: Response, status: number, code: string): Promise<z.infer<typeof errorResponseSchema>['error']> {
  const text = await response.text();
  expect({ status: response.status, text }).toMatchObject({ status });
  const { error } = errorResponseSchema.parse(JSON.parse(text));
  expect(error.code).toBe(code);
  expect(error.request_id).toBe(response.headers.get('x-request-id'));
  expect(response.headers.get('content-type')).toContain('application/json');
  return error;
}

function post(path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = { 'content-type': 'application/json' }): Promise<Response> {
  return fetch(base + path, { method: 'POST', body, headers });
}

/** Sends a path exactly as it stands, which fetch would tidy up first. */
function rawRequest(method: string, path: string, headers: Record<string, string> = {}): Promise<{ status: number; body: string; allow: string | undefined }> {
  return new Promise((resolve, reject) => {
    const { port } = new URL(base);
    const request = httpRequest({ port, host: '127.0.0.1', method, path, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body, allow: response.headers.allow }));
    });
    request.on('error', reject).end();
  });
}

function rawSocket(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(base).port), '127.0.0.1', () => socket.write(text));
    let answer = '';
    socket.setEncoding('utf8').on('data', (part: string) => (answer += part));
    socket.on('close', () => resolve(answer)).on('error', reject);
  });
}

describe('errors', () => {
  it('[ERR12] answers an unknown address with the envelope', async () => {
    await expectError(await fetch(`${base}/nowhere?token=secret`), 404, 'not_found');
  });
  it('[ERR12] answers a known address and unknown method with 405 and Allow', async () => {
    const response = await fetch(`${base}/chat/notes`, { method: 'DELETE' });
    expect(response.headers.get('allow')).toBe('POST');
    await expectError(response, 405, 'method_not_allowed');
    expect((await rawRequest('OPTIONS', '/chat/open')).allow).toBe('GET, HEAD');
    expect((await rawRequest('HEAD', '/chat/notes')).status).toBe(405);
  });
  it('[ERR3] refuses malformed JSON, bad UTF-8 and prototype keys with 400', async () => {
    await expectError(await post('/chat/notes', '{"body":'), 400, 'malformed_request');
    await expectError(await post('/chat/notes', new Uint8Array([0x22, 0xff, 0x22])), 400, 'malformed_request');
    await expectError(await post('/chat/notes', '{"__proto__":{"body":"x"}}'), 400, 'malformed_request');
  });
  it('[ERR3] refuses other content types with 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'multipart/form-data; boundary=x']) {
      await expectError(await post('/chat/notes', 'body=x', { 'content-type': type }), 415, 'unsupported_media_type');
    }
  });
  it('[ERR7] refuses bodies over 256 KiB, with a length and chunked, and takes one of exactly that size', async () => {
    const body = (size: number): string => `{"body":"${'x'.repeat(size - 11)}"}`;
    expect((await post('/chat/notes', body(262_144))).status).toBe(201);
    await expectError(await post('/chat/notes', body(262_145)), 413, 'payload_too_large');
    const chunked = await rawSocket(
      `POST /chat/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${`10000\r\n${'y'.repeat(65_536)}\r\n`.repeat(5)}0\r\n\r\n`,
    );
    expect(chunked).toMatch(/^HTTP\/1.1 413/);
    const small = await rawSocket(
      'POST /chat/notes HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nc\r\n{"body":"a"}\r\n0\r\n\r\n',
    );
    expect(small).toMatch(/^HTTP\/1.1 201/);
  });
  it('[ERR4] names the fields of an invalid body with 422, of an absent body too', async () => {
    const error = await expectError(await post('/chat/notes', '{"body":"","count":1.5}'), 422, 'validation_failed');
    expect(error.details).toMatchObject({ fields: [{ path: 'body' }, { path: 'count' }] });
    await expectError(await fetch(`${base}/chat/notes`, { method: 'POST' }), 422, 'validation_failed');
    await expectError(await post('/chat/notes', '[]'), 422, 'validation_failed');
    await expectError(await fetch(`${base}/chat/open?limit=501`), 422, 'validation_failed');
  });
  it('[ERR15] hides what failed inside and logs it under the request id', async () => {
    const error = await expectError(await fetch(`${base}/chat/fails/badly`, { headers: { 'x-request-id': 'trace-0001' } }), 500, 'internal_error');
    expect(error.message).not.toContain('hunter2');
    expect(error.request_id).toBe('trace-0001');
    expect(lines.some((line) => line.includes('trace-0001') && line.includes('"level":"error"'))).toBe(true);
  });
  it('[ERR10] sends Retry-After with 429', async () => {
    const response = await fetch(`${base}/chat/fails/busy`);
    expect(response.headers.get('retry-after')).toBe('7');
    await expectError(response, 429, 'rate_limited');
  });
  it('[ERR17] answers malformed URLs, requests and oversized headers, and lives', async () => {
    expect((await rawRequest('GET', '/chat/session/%zz')).status).toBe(400);
    expect((await rawRequest('GET', `/chat/session/${'9'.repeat(300)}`)).status).toBe(404);
    expect(JSON.parse((await rawRequest('GET', '/chat/%')).body)).toMatchObject({ error: { code: 'malformed_request' } });
    expect(await rawSocket('NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1.1 400[^]*malformed_request/);
    expect(await rawSocket(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1.1 431/);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
  });
  it('gives a raw body to the handler that asks for it, whatever its type', async () => {
    for (const type of ['image/png', 'application/json', 'text/html']) {
      const response = await post('/chat/raw', '{not json', { 'content-type': type });
      expect(await response.json()).toEqual({ size: 9 });
    }
  });
  it('[ERR1] replaces a request id that is none', async () => {
    const response = await fetch(`${base}/healthz`, { headers: { 'x-request-id': 'a b"c' } });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('route guard', () => {
  it('[ERR14] knows the access of every route', () => {
    const routes = listRoutes(app);
    expect(routes.length).toBeGreaterThan(12);
    expect(routes.filter((route) => route.access.kind === 'public').map((route) => `${route.method} ${route.url}`).sort()).toEqual([
      'GET /chat/fails/:how', 'GET /chat/ip', 'GET /chat/open', 'GET /healthz', 'GET /metrics', 'GET /readyz',
      'HEAD /chat/fails/:how', 'HEAD /chat/ip', 'HEAD /chat/open', 'HEAD /healthz', 'HEAD /metrics', 'HEAD /readyz',
      'POST /chat/notes', 'POST /chat/raw',
    ]);
  });
  it('[ERR14] does not start with a route that declares no access', async () => {
    @Controller()
    class Careless {
      @Get('chat/secrets')
      secrets(): string {
        return 'everything';
      }
    }
    @Module({ controllers: [Careless] })
    class CarelessModule {}
    const options = { logger: createLogger({ service: 'x', level: 'silent' }), metrics: createMetrics('x'), health: new Health() };
    await expect(createHttpApp({ ...options, modules: [CarelessModule] })).rejects.toThrow(/declares no access/);
    const declared = createHttpApp({ ...options, modules: [], configure: (server) => void server.get('/x', { config: routeAccess({ kind: 'staff' }) }, async () => 'x') });
    const small = await declared;
    expect((await small.inject('/x')).statusCode).toBe(401);
    await small.close();
  });
  it('[TOK3] admits a customer to his own session only', async () => {
    const token = signChannelToken(ring, 5, now());
    const response = await fetch(`${base}/chat/session/5`, { headers: bearer(token) });
    expect(await response.json()).toMatchObject({ principal: { kind: 'customer', sessionId: 5 } });
    await expectError(await fetch(`${base}/chat/session/6`, { headers: bearer(token) }), 401, 'bad_token');
    await expectError(await fetch(`${base}/chat/session/5`), 401, 'missing_credentials');
    await expectError(await fetch(`${base}/chat/session/5`, { headers: { authorization: token } }), 401, 'bad_token');
    await expectError(await fetch(`${base}/chat/session/5x`, { headers: bearer(token) }), 401, 'bad_token');
    await expectError(await fetch(`${base}/chat/session/5`, { headers: bearer(await staffToken('admin')) }), 401, 'bad_token');
    await expectError(await fetch(`${base}/chat/session/5`, { headers: bearer(signChannelToken(ring, 5, now() - 86_400)) }), 401, 'token_expired');
  });
  it('[TOK20] admits staff by role', async () => {
    const patch = (token: string): Promise<Response> => fetch(`${base}/chat/staff`, { method: 'PATCH', headers: bearer(token) });
    expect((await patch(await staffToken('operator'))).status).toBe(200);
    await expectError(await patch(await staffToken('customer')), 403, 'forbidden');
    await expectError(await patch(signChannelToken(ring, 5, now())), 401, 'bad_token');
    await expectError(await fetch(`${base}/chat/admin`, { headers: bearer(await staffToken('operator')) }), 403, 'forbidden');
    expect((await fetch(`${base}/chat/admin`, { headers: bearer(await staffToken('admin')) })).status).toBe(200);
    for (const token of [await staffToken('operator'), signChannelToken(ring, 5, now())]) {
      expect((await fetch(`${base}/chat/either/5`, { headers: bearer(token) })).status).toBe(200);
    }
  });
  it('[INT1] admits internal calls by the key only', async () => {
    await expectError(await post('/internal/thing', '{}', { 'content-type': 'application/json', ...bearer('wrong') }), 401, 'bad_token');
    await expectError(await post('/internal/thing', '{}'), 401, 'missing_credentials');
    expect((await post('/internal/thing', '{}', { 'content-type': 'application/json', ...bearer(INTERNAL_KEY) })).status).toBe(201);
  });
  it('[ERR14] has no way round the guard by another spelling of method or path', async () => {
    const paths = [
      '/chat/admin/', '//chat/admin', '/chat//admin', '/chat/%61dmin', '/%63hat/admin', '/CHAT/admin', '/chat/Admin', '/chat/admin;x',
      '/chat/admin%2f', '/chat/x/../admin', '/chat/x/..%2fadmin', '/chat/admin%00', '/chat/./admin', '/chat\\admin', '/chat/admin?x=/chat/open', '/chat/admin#x',
      'http://evil.example/chat/admin',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'HEAD', 'POST', 'OPTIONS', 'PUT', 'TRACE', 'PROPFIND']) {
        const { status } = await rawRequest(method, path, { 'x-http-method-override': 'GET' });
        expect({ path, method, status, refused: status >= 400 }).toMatchObject({ refused: true });
      }
    }
    expect((await rawRequest('HEAD', '/chat/admin')).status).toBe(401);
    expect((await rawRequest('HEAD', '/chat/open')).status).toBe(200);
  });
  it('[ERR13] refuses before it reads a body', async () => {
    await expectError(await fetch(`${base}/chat/staff`, { method: 'PATCH', body: '{broken', headers: { 'content-type': 'application/json' } }), 401, 'missing_credentials');
  });
});

describe('origins', () => {
  const evil = { origin: 'https://evil.example' };
  it('[ORI5] refuses a foreign Origin on every changing method and logs the line that would allow it', async () => {
    for (const method of ['POST', 'PATCH', 'PUT', 'DELETE']) {
      await expectError(await fetch(`${base}/chat/notes`, { method, headers: evil }), 403, 'origin_not_allowed');
    }
    await expectError(await fetch(`${base}/chat/notes`, { method: 'POST', headers: { origin: 'null' } }), 403, 'origin_not_allowed');
    await expectError(await fetch(`${base}/elsewhere`, { method: 'POST', headers: evil }), 403, 'origin_not_allowed');
    expect(lines.some((line) => line.includes('ALLOWED_ORIGINS=https://shop.example,https://evil.example'))).toBe(true);
  });
  it('[ORI7] answers a foreign GET without permission to read it', async () => {
    const response = await fetch(`${base}/chat/open`, { headers: evil });
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBeNull();
    expect(response.headers.get('vary')).toBe('Origin');
  });
  it('[ORI7] permits allowed pages without credentials, in errors too, and shows Retry-After', async () => {
    for (const path of ['/chat/open', '/chat/session/5', '/chat/nowhere', '/chat/fails/busy', '/channel/nowhere']) {
      const { headers } = await fetch(base + path, { headers: { origin: 'https://shop.example' } });
      expect(headers.get('access-control-allow-origin')).toBe('https://shop.example');
      expect(headers.get('access-control-expose-headers')).toBe('Retry-After');
      expect(headers.get('access-control-allow-credentials')).toBeNull();
    }
    const { headers } = await fetch(`${base}/healthz`, { headers: { origin: 'https://shop.example' } });
    expect(headers.get('access-control-allow-origin')).toBeNull();
  });
  it('[ORI8] answers preflights', async () => {
    const preflight = (origin: string): Promise<Response> =>
      fetch(`${base}/chat/session/5/messages`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
    const response = await preflight('https://shop.example');
    expect(response.status).toBe(204);
    expect(response.headers.get('access-control-allow-headers')).toBe('Authorization, Content-Type, X-Resume-Key, X-File-Name, Last-Event-ID, Idempotency-Key');
    expect(response.headers.get('access-control-allow-methods')).toContain('PATCH');
    await expectError(await preflight('https://evil.example'), 403, 'origin_not_allowed');
  });
  it('[ORI2] allows the own host and requests without Origin', async () => {
    const sent = (headers: Record<string, string>): Promise<Response> => post('/chat/notes', '{"body":"x"}', { 'content-type': 'application/json', ...headers });
    expect((await sent({ origin: base.replace('[::1]', 'localhost') })).status).toBe(201);
    expect((await sent({})).status).toBe(201);
  });
});

describe('operation', () => {
  it('[OPS2] tells health, readiness and metrics, and never a query or token in the log', async () => {
    expect(await (await fetch(`${base}/readyz`)).json()).toEqual({ status: 'ok', checks: {} });
    health.add('database', () => Promise.reject(new Error('postgres://user:secret@host')));
    const error = await expectError(await fetch(`${base}/readyz`), 503, 'unavailable');
    expect(error.details).toEqual({ checks: { database: 'not available' } });
    health.add('database', () => undefined);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    expect(metrics).toMatch(/chat_http_requests_total\{.*route="\/chat\/notes"/);
    expect(metrics).toContain('chat_http_request_duration_seconds_bucket');
    expect(metrics).toContain('chat_process_cpu_seconds_total');
    await fetch(`${base}/chat/open?token=k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC_Kccv0cY5dNBq5ps`, { headers: bearer('k1.1762587011.12CB2wIZQzgSncNVqukwL52L2rC') });
    expect(lines.join('')).not.toContain('12CB2wIZQzgSncNVqukwL52L2rC');
    expect(lines.join('')).not.toContain('hunter2secret');
  });
  it('[RATE7] takes the address from a trusted proxy only', async () => {
    const seen = async (forwarded: string): Promise<unknown> => (await fetch(`${base}/chat/ip`, { headers: { 'x-forwarded-for': forwarded } })).json();
    expect(await seen('1.1.1.1, 203.0.113.9')).toEqual({ ip: '203.0.113.9' });
  });
});
