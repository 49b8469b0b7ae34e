import { randomBytes, randomUUID } from 'node:crypto';
import { type Database, openDatabase } from '@chat-realtime/database';
import type { EventPublisher, OutgoingEvent, PublishResult, QueueConnected } from '@chat-realtime/messaging';
import { type BrokerEphemeral, ChatError, type Session } from '@chat-realtime/protocol';
import { createMetrics, type Metrics } from '@chat-realtime/service-kit';
import { dropDatabase } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { type ChatService, type ChatServiceDeps, createChatService } from '../src/chat-service.ts';
import type { CustomerActor, StaffActor } from '../src/actors.ts';
import { type UseCases, useCases } from './use-cases.ts';
import { migratedDatabase } from './migrated-database.ts';
import { databaseWith, publisherWith, type RelayFault } from './relay-faults.ts';

/** The end of the relay's port: keeps what it gets, and can be set to fail like an unavailable broker. */
export class RecordingPublisher implements EventPublisher {
  readonly events: OutgoingEvent[] = [];
  readonly ephemerals: BrokerEphemeral[] = [];
  /** Size of each batch, and how much of it was confirmed. */
  readonly batches: { size: number; confirmed: number }[] = [];
  /** Confirms only this many of the next batches' events; undefined: all. */
  limit: number | undefined;
  connected = true;
  #listeners: ((info: QueueConnected) => void | Promise<void>)[] = [];

  async publish(batch: readonly OutgoingEvent[]): Promise<PublishResult> {
    const confirmed = this.connected ? Math.min(batch.length, this.limit ?? batch.length) : 0;
    this.batches.push({ size: batch.length, confirmed });
    this.events.push(...batch.slice(0, confirmed));
    return confirmed === batch.length ? { confirmed } : { confirmed, failure: new Error('unconfirmed') };
  }

  publishEphemeral(message: BrokerEphemeral): void {
    if (this.connected) this.ephemerals.push(message);
  }

  onConnected(listener: (info: QueueConnected) => void | Promise<void>): void {
    this.#listeners.push(listener);
  }

  async connect(info: QueueConnected): Promise<void> {
    for (const listener of this.#listeners) await listener(info);
    this.connected = true;
  }

  async close(): Promise<void> {
    this.connected = false;
  }

  seqsOf(sessionId: number): (number | null)[] {
    return this.events.filter(({ event }) => event.session_id === sessionId).map(({ event }) => event.seq);
  }
}

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

export interface Harness {
  readonly database: Database;
  readonly url: string;
  readonly publisher: RecordingPublisher;
  readonly metrics: Metrics;
  readonly service: ChatService;
  readonly chat: UseCases;
  /** A second service on the same database; the caller closes it. */
  another(deps?: HarnessDeps): Promise<Harness>;
  /** The first step of the relay leader: gives committed events their place in the feed. */
  stamp(): Promise<void>;
  close(): Promise<void>;
}

export type HarnessDeps = Partial<ChatServiceDeps> & { readonly relayFault?: RelayFault };

/** On an existing database; the caller closes it. */
export async function harnessAt(url: string, deps: HarnessDeps = {}): Promise<Harness> {
  const database = await openDatabase(url);
  return harnessOver(database, url, deps, () => database.close());
}

function harnessOver(database: Database, url: string, deps: HarnessDeps, release: () => Promise<void>): Harness {
  const publisher = new RecordingPublisher();
  const metrics = createMetrics('chat-service-test');
  const links = { url: (id: string) => `/chat/attachments/${id}?sig=test` };
  const { relayFault: fault, ...given } = deps;
  const hit =
    fault === undefined
      ? { database, publisher }
      : { database: databaseWith(database, fault), publisher: publisherWith(publisher, fault) };
  const service = createChatService({ ...hit, links, metrics, logger: silent, ...given });
  let closed: Promise<void> | undefined;
  const close = async () => {
    await service.stop();
    await release();
  };
  return {
    database,
    url,
    publisher,
    metrics,
    service,
    chat: useCases(service),
    stamp: async () => {
      await sql`SELECT chat_stamp_feed(1000000)`.execute(database.kysely);
    },
    another: (more = {}) => harnessAt(url, { ...deps, ...more }),
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

/** One per test file: `stop` in afterAll. */
export class Stage {
  readonly #databases: string[] = [];
  readonly #open: Harness[] = [];

  async harness(deps: HarnessDeps = {}): Promise<Harness> {
    const url = await migratedDatabase();
    this.#databases.push(url);
    return this.#keep(await harnessAt(url, deps));
  }

  #keep(harness: Harness): Harness {
    this.#open.push(harness);
    return harness;
  }

  async stop(): Promise<void> {
    for (const harness of this.#open) await harness.close();
    for (const url of this.#databases) await dropDatabase(url);
  }
}

export function operator(userId: string, more: Partial<Omit<StaffActor, 'kind' | 'userId'>> = {}): StaffActor {
  return { kind: 'staff', userId, name: userId.toUpperCase(), role: 'operator', scope: 'all', ...more };
}
export const anna = operator('anna');
export const boris = operator('boris');
export const admin = operator('admin', { role: 'admin' });

export function resumeKey(): string {
  return randomBytes(32).toString('base64url');
}

export function text(body: string): { body: string; clientMessageId: string } {
  return { body, clientMessageId: randomUUID() };
}

export interface Chat {
  readonly id: number;
  readonly customer: CustomerActor;
  readonly session: Session;
  says(body: string): Promise<number>;
}

/** A new session and its customer; `says` returns the message's id. */
export async function newChat(chat: UseCases, first?: string): Promise<Chat> {
  const created = await chat.createSession({
    resumeKey: resumeKey(),
    name: 'Vera',
    email: 'vera@example.org',
    ...(first === undefined ? {} : { message: text(first) }),
  });
  const customer: CustomerActor = { kind: 'customer', sessionId: created.session.id };
  return {
    id: created.session.id,
    customer,
    session: created.session,
    says: async (body) => (await chat.postMessage(customer, created.session.id, text(body))).message.id,
  };
}

/** The types of a session's events, messages with their text. */
export async function story(chat: UseCases, sessionId: number): Promise<string[]> {
  const { events } = await chat.events(admin, sessionId, { afterSeq: 0, limit: 500 });
  return events.map((event) => {
    if (event.type === 'chat.message') return `${event.data.sender_type}:${event.data.body}`;
    if (event.type === 'chat.session.assigned') return `assigned:${event.data.assigned_user_id}`;
    if (event.type === 'chat.session.status') return `${event.data.previous}>${event.data.status}:${event.data.reason}`;
    return event.type;
  });
}

/**
 * As a client does: a call that waited too long for a lock, or met a busy database, answers `unavailable` and is
 * repeated.
 */
export async function untilAvailable<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof ChatError) || error.code !== 'unavailable' || attempt >= 10) throw error;
    }
  }
}

/** The codes with which the calls were refused, each once; `answered` for one that was not. */
export async function allRefused(calls: readonly Promise<unknown>[]): Promise<string[]> {
  const results = await Promise.allSettled(calls);
  const codes = results.map((result) => {
    if (result.status === 'fulfilled') return 'answered';
    return result.reason instanceof ChatError ? result.reason.code : String(result.reason);
  });
  return [...new Set(codes)];
}
