import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { ChatError } from '@chat-realtime/protocol';
import { KeyRing } from '@chat-realtime/protocol/tokens';
import { TokenVerifier } from '@chat-realtime/verifier';
import { Body, Controller, Get, HttpCode, Module, Param, Patch, Post, Query, Req } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyRequest } from 'fastify';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { TrustedProxies } from '../client-ip.ts';
import { Health } from '../health.ts';
import {
  ClientIp,
  Principal,
  Public,
  RawBody,
  RequireAdmin,
  RequireCustomer,
  RequireCustomerOrStaff,
  RequireInternal,
  RequireStaff,
} from '../http/access.ts';
import { createHttpApp } from '../http/create-http-app.ts';
import type { UnreadAnswerLimits } from '../http/unread-answers.ts';
import { createLogger } from '../logger.ts';
import { createMetrics } from '../metrics.ts';
import { OriginPolicy } from '../origin-policy.ts';

const JWT_SECRET = 'jwt-secret-jwt-secret-jwt-secret-jwt';
export const INTERNAL_KEY = 'internal-key-internal-key-internal-key';
export const ring = KeyRing.parse('k1:0123456789abcdef0123456789abcdef');
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
    for await (const chunk of request.raw) size += Buffer.isBuffer(chunk) ? chunk.length : 0;
    return { size };
  }

  @Get('chat/fails/:how')
  @Public()
  fails(@Param('how') how: string): never {
    if (how === 'busy') throw new ChatError('rate_limited', 'slow down', { retryAfterSeconds: 7 });
    if (how === 'away') throw Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:5432'), { code: 'ECONNREFUSED' });
    if (how === 'full') throw new Error('write failed', { cause: Object.assign(new Error('disk'), { code: '53100' }) });
    throw new Error('database password is hunter2');
  }

  @Get('chat/large/:megabytes')
  @Public()
  large(@Param('megabytes') megabytes: string): { text: string } {
    return { text: 'x'.repeat(Number(megabytes) * 1_048_576) };
  }

  @Get('chat/ip')
  @Public()
  ip(@ClientIp() ip: string): { ip: string } {
    return { ip };
  }
}

@Module({ controllers: [ProbeController] })
class ProbeModule {}

interface RawAnswer {
  readonly status: number;
  readonly body: string;
  readonly allow: string | undefined;
}

/** A real server with a route of every kind, and ways to talk to it that no client library would tidy up. */
export class Probe {
  readonly app: NestFastifyApplication;
  readonly base: string;
  readonly health: Health;
  /** Everything it has logged. */
  readonly lines: readonly string[];

  private constructor(app: NestFastifyApplication, base: string, health: Health, lines: readonly string[]) {
    this.app = app;
    this.base = base;
    this.health = health;
    this.lines = lines;
  }

  static async start(
    unreadAnswers?: UnreadAnswerLimits,
    trustedProxies = TrustedProxies.parse(['127.0.0.1']),
  ): Promise<Probe> {
    const health = new Health();
    const lines: string[] = [];
    const app = await createHttpApp({
      modules: [ProbeModule],
      logger: createLogger({
        service: 'probe',
        level: 'debug',
        destination: { write: (line) => void lines.push(line) },
      }),
      metrics: createMetrics('probe'),
      health,
      verifier: TokenVerifier.create({
        channelSecrets: ring,
        staff: { keys: { kind: 'secret', secret: JWT_SECRET }, issuer: 'site', audience: 'chat' },
      }),
      internalApiKey: INTERNAL_KEY,
      origins: OriginPolicy.create({ allowed: ['https://shop.example'], demo: false }),
      trustedProxies,
      unreadAnswers,
      port: 0,
    });
    return new Probe(app, await app.getUrl(), health, lines);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.base + path, { headers });
  }

  send(method: string, path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.base + path, { method, headers });
  }

  post(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    headers: Record<string, string> = { 'content-type': 'application/json' },
  ): Promise<Response> {
    return fetch(this.base + path, { method: 'POST', body, headers });
  }

  /** Sends method and path exactly as they stand. */
  raw(method: string, path: string, headers: Record<string, string> = {}): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const { port } = new URL(this.base);
      const request = httpRequest({ port, host: '127.0.0.1', method, path, headers }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          body += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, allow: response.headers.allow }));
      });
      request.on('error', reject).end();
    });
  }

  /** Sends bytes and gives what came until the server closed the connection. */
  socket(text: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = connect(Number(new URL(this.base).port), '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.setEncoding('utf8').on('data', (part: string) => {
        answer += part;
      });
      socket.on('close', () => resolve(answer)).on('error', reject);
    });
  }
}

export const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

export function staffToken(role: string): Promise<string> {
  return new SignJWT({ role })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('site')
    .setAudience('chat')
    .setSubject('7')
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(Buffer.from(JWT_SECRET));
}
