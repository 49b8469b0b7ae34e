import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, openDatabase } from '@chat-realtime/database';
import { createMemoryBroker, type EventPublisher } from '@chat-realtime/messaging';
import type { BrokerEphemeral } from '@chat-realtime/protocol';
import {
  createHttpApp,
  createLogger,
  createMetrics,
  Health,
  HopJournal,
  installHopRoute,
  loadConfig,
  type Metrics,
  OriginPolicy,
  TrustedProxies,
} from '@chat-realtime/service-kit';
import { dropDatabase } from '@chat-realtime/testkit';
import { RevocationSet, TokenVerifier } from '@chat-realtime/verifier';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SignJWT } from 'jose';
import { z } from 'zod';
import { beginLedger } from '../src/intake/ledger-mark.ts';
import { type ComposedChat, composeChat } from '../src/compose.ts';
import { type ChatSettings, chatSettingsVariables } from '../src/config.ts';
import type { StorageContext } from '../src/storage/context.ts';
import { type UseCases, useCases } from './use-cases.ts';
import { migratedDatabase } from './migrated-database.ts';

export const CHANNEL_SECRET = '0123456789abcdef0123456789abcdef';
export const SITE_KEY = 'site-key-0123456789abcdef';
export const INTERNAL_KEY = 'internal-key-0123456789abcdef';
/** In front of the chat: its `X-Forwarded-For` is trusted. */
export const TRUSTED_PROXY = '192.0.2.250';
export const IDENTITY_SECRET = 'identity-secret-0123456789abcdef';
const STAFF_SECRET = 'staff-secret-0123456789abcdef0123';
const ISSUER = 'https://shop.example/auth';
const AUDIENCE = 'chat';

const DEFAULTS = {
  CHAT_TOKEN_SECRETS: `k1:${CHANNEL_SECRET}`,
  SITE_API_KEY: SITE_KEY,
  IDENTITY_SECRETS: `shop:${IDENTITY_SECRET}`,
  RATE_SESSIONS_PER_MINUTE: '0',
  RATE_MESSAGES_PER_MINUTE: '0',
};

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly text: string;
  readonly bytes: Buffer;
  /** The body, which must fit the schema. */
  as<T>(schema: z.ZodType<T>): T;
  /** Code of the error envelope; undefined for a success. */
  readonly code: string | undefined;
}

export interface Call {
  readonly token?: string | undefined;
  readonly body?: unknown;
  /** Sent as it is, with the `content-type` from `headers`. */
  readonly raw?: string | Buffer;
  readonly headers?: Record<string, string>;
  readonly ip?: string;
}

export type HttpMethod = 'GET' | 'POST' | 'PATCH' | 'HEAD' | 'PUT' | 'DELETE' | 'OPTIONS';

const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), request_id: z.string(), details: z.unknown().optional() }),
});

/** chat-service's REST over a real database, as its process serves it. */
export class ChatUnderTest {
  readonly app: NestFastifyApplication;
  readonly database: Database;
  readonly context: StorageContext;
  /** The use cases, called past the routes. */
  readonly operations: UseCases;
  /** Neither relay nor sweeps run unless a test starts them. */
  readonly chat: ComposedChat;
  readonly settings: ChatSettings;
  readonly metrics: Metrics;
  /** What was sent to gateways in addition to the events, in order. */
  readonly ephemerals: readonly BrokerEphemeral[];
  readonly #folder: string;
  #databaseUrl: string | undefined;

  private constructor(
    parts: Pick<
      ChatUnderTest,
      'app' | 'database' | 'context' | 'operations' | 'chat' | 'settings' | 'metrics' | 'ephemerals'
    >,
    folder: string,
  ) {
    this.app = parts.app;
    this.database = parts.database;
    this.context = parts.context;
    this.operations = parts.operations;
    this.chat = parts.chat;
    this.settings = parts.settings;
    this.metrics = parts.metrics;
    this.ephemerals = parts.ephemerals;
    this.#folder = folder;
  }

  /**
   * Does the work of the relay leader, which does not run here, with everything committed: gives it its place in the
   * feed.
   */
  async stamp(): Promise<void> {
    await this.database.query({ name: 'test-stamp', text: 'SELECT chat_stamp_feed(1000000)' }, []);
  }

  /** With a separate database. `dataDir`: where attachments go; the caller removes it. */
  static async start(env: Record<string, string> = {}, dataDir?: string): Promise<ChatUnderTest> {
    const url = await migratedDatabase();
    const chat = await ChatUnderTest.#startAt(url, env, dataDir);
    chat.#databaseUrl = url;
    return chat;
  }

  static async #startAt(databaseUrl: string, env: Record<string, string>, dataDir?: string): Promise<ChatUnderTest> {
    const settings = loadConfig(z.object(chatSettingsVariables), { ...DEFAULTS, ...env });
    const folder = await mkdtemp(join(tmpdir(), 'chat-service-'));
    const database = await openDatabase(databaseUrl);
    if (settings.CHAT_ROLE === 'ledger') await beginLedger(database);
    const logger = createLogger({ service: 'chat-service', level: 'silent' });
    const broker = createMemoryBroker();
    const ephemerals: BrokerEphemeral[] = [];
    const metrics = createMetrics('chat-service');
    const listed = env['ALLOWED_ORIGINS']?.split(',').filter((origin) => origin !== '');
    const chat = composeChat({
      ...(listed && { allowedOrigins: listed }),
      database,
      publisher: recorded(broker.publisher, ephemerals),
      settings,
      dataDir: dataDir ?? folder,
      logger,
      metrics,
    });
    const { context } = chat.service;
    const operations = useCases(chat.service);
    const revocations = new RevocationSet();
    const verifier = TokenVerifier.create({
      channelSecrets: settings.CHAT_TOKEN_SECRETS,
      channelTokenTtlSeconds: settings.CHANNEL_TOKEN_TTL_SECONDS,
      identitySecrets: settings.IDENTITY_SECRETS,
      staff: { keys: { kind: 'secret', secret: STAFF_SECRET }, issuer: ISSUER, audience: AUDIENCE },
      revocations,
    });
    const origins = OriginPolicy.create({ allowed: listed ?? ['https://shop.example'], demo: false });
    const trustedProxies = TrustedProxies.parse([TRUSTED_PROXY]);
    const app = await createHttpApp({
      modules: [chat.module({ verifier, revocations, origins, trustedProxies, internal: true })],
      logger,
      metrics,
      health: new Health(),
      verifier,
      internalApiKey: INTERNAL_KEY,
      eventsApiKey: settings.EVENTS_API_KEY,
      origins,
      trustedProxies,
      configure: (server) => installHopRoute(server, new HopJournal(), 'chat-service'),
    });
    await app.getHttpAdapter().getInstance().ready();
    return new ChatUnderTest({ app, database, context, operations, chat, settings, metrics, ephemerals }, folder);
  }

  async stop(): Promise<void> {
    await this.app.close();
    await this.chat.stop();
    await this.database.close();
    if (this.#databaseUrl !== undefined) await dropDatabase(this.#databaseUrl);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async call(method: HttpMethod, url: string, call: Call = {}): Promise<Answer> {
    const json = call.body === undefined ? {} : { 'content-type': 'application/json' };
    const authorization = call.token === undefined ? {} : { authorization: `Bearer ${call.token}` };
    const payload = call.raw ?? (call.body === undefined ? undefined : JSON.stringify(call.body));
    const response = await this.app.inject({
      method,
      url,
      headers: { ...json, ...authorization, ...call.headers },
      remoteAddress: call.ip ?? '192.0.2.1',
      ...(payload === undefined ? {} : { payload }),
    });
    const error = errorSchema.safeParse(isJson(response.body) ? JSON.parse(response.body) : undefined);
    return {
      status: response.statusCode,
      headers: response.headers,
      text: response.body,
      bytes: response.rawPayload,
      as: (schema) => schema.parse(JSON.parse(response.body)),
      code: error.success ? error.data.error.code : undefined,
    };
  }

  /** A staff token as another auth-service makes it. */
  staff(sub: string, claims: Record<string, unknown> = {}): Promise<string> {
    return new SignJWT({ role: 'operator', name: sub, ...claims })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(sub)
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('1h')
      .sign(Buffer.from(STAFF_SECRET));
  }

  /** A customer's identity token as the site's server makes it. */
  identity(sub: string, claims: Record<string, unknown> = {}): Promise<string> {
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', kid: 'shop' })
      .setSubject(sub)
      .setAudience('chat')
      .setIssuedAt()
      .setExpirationTime('10m')
      .sign(Buffer.from(IDENTITY_SECRET));
  }
}

function recorded(publisher: EventPublisher, ephemerals: BrokerEphemeral[]): EventPublisher {
  return {
    publish: (batch) => publisher.publish(batch),
    publishEphemeral: (message) => {
      ephemerals.push(message);
      publisher.publishEphemeral(message);
    },
    onConnected: (listener) => publisher.onConnected(listener),
    get connected() {
      return publisher.connected;
    },
    close: () => publisher.close(),
  };
}

function isJson(text: string): boolean {
  return text.startsWith('{') || text.startsWith('[');
}
