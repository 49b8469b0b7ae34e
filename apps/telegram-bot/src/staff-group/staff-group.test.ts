import { Readable } from 'node:stream';
import { type Database, openDatabase } from '@chat-realtime/database';
import { type StaffEvent, staffEventSchema } from '@chat-realtime/protocol';
import { createLogger, createMetrics, type Metrics } from '@chat-realtime/service-kit';
import { FakeBotApi, type FakeForum, until } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { botMetrics } from '../metrics.ts';
import { FeedReader } from '../feed/feed-reader.ts';
import { People } from '../storage/people.ts';
import { SendStore } from '../storage/sends.ts';
import { TopicStore } from '../storage/topics.ts';
import { createTelegramApi } from '../telegram/api.ts';
import { RetryBudget } from '../telegram/retry-budget.ts';
import { textsFor } from '../texts.ts';
import { groupMetrics } from './metrics.ts';
import { GroupMessages } from './group-messages.ts';
import { GroupWorker } from './worker.ts';

const BOT = 77;
let database: Database;
let api: FakeBotApi;
let forum: FakeForum;
let topics: TopicStore;
let messages: GroupMessages;
let worker: GroupWorker;
let retryBudget: RetryBudget;
let metrics: Metrics;
let group = -1_000_000;
let session = 0;
let seq = 0;
const logged: string[] = [];
const files = new Map<string, Buffer>();

beforeAll(async () => {
  [database, api] = await Promise.all([openDatabase('pglite:memory'), FakeBotApi.start()]);
});
afterAll(async () => {
  await api.stop();
  await database.close();
});

beforeEach(async () => {
  group -= 1;
  forum = api.forums.open(group);
  topics = new TopicStore(database, BOT, group, 0.15);
  messages = new GroupMessages(new People(database, BOT), topics, textsFor('ru'));
  metrics = createMetrics('telegram-bot');
  logged.length = 0;
  retryBudget = new RetryBudget({ isThere: () => true });
  worker = newWorker(metrics);
  session = await newSession('Иван');
});
afterEach(() => worker.stop());

function newWorker(registry: Metrics, language: 'ru' | 'en' = 'ru'): GroupWorker {
  const logger = createLogger({
    service: 'telegram-bot',
    level: 'info',
    destination: { write: (line: string) => logged.push(line) },
  });
  const openFile = async ({ url }: { readonly url: string }) => {
    const bytes = files.get(url);
    return bytes === undefined ? null : Readable.from([bytes]);
  };
  const bot = botMetrics(
    registry,
    { connected: true, start: () => undefined, stop: async () => undefined },
    new SendStore(database, BOT),
  );
  return new GroupWorker({
    topics,
    api: createTelegramApi({ token: api.token, root: api.url, openFile, commands: () => [] }),
    texts: textsFor(language),
    metrics: groupMetrics(registry, bot, topics),
    retryBudget,
    logger,
    idleMs: 40,
  });
}

async function newSession(name: string | null): Promise<number> {
  const made = await sql<{ id: number }>`INSERT INTO chat_session (name) VALUES (${name}) RETURNING id`.execute(
    database.kysely,
  );
  return Number(made.rows[0]?.id);
}

async function tell(event: object): Promise<void> {
  seq += 1;
  const whole: StaffEvent = staffEventSchema.parse({ session_id: session, seq, feed_seq: seq, ...event });
  await database.kysely.transaction().execute((trx) => messages.add(whole, trx));
  worker.wake();
}

const message = (body: string, from: object = { sender_type: 'client', sender_id: null, sender_name: null }) => ({
  id: seq + 1,
  body,
  attachments: [],
  created_at: '2026-01-01T10:00:00Z',
  client_message_id: '7b0c2a6e-3d1f-4c5b-8a9d-0e1f2a3b4c5d',
  ...from,
});
const asks = (body: string, sessionId = session) =>
  tell({ type: 'chat.message.client', session_id: sessionId, data: message(body) });

const inTopic = (threadId: number | undefined): string =>
  api
    .shownTo(forum.id)
    .filter(({ thread_id: thread }) => thread === threadId)
    .map(({ text }) => text)
    .join('\n');
const soon = <T>(what: string, probe: () => T | undefined | false): Promise<T> =>
  until(() => probe() || undefined, {
    timeoutMs: 8_000,
    everyMs: 20,
    what: `${what}; there is ${JSON.stringify(forum.topics)} ${logged.join('')}`,
  });
const shows = (text: string) => soon(text, () => forum.topics.find(({ threadId }) => inTopic(threadId).includes(text)));
const become = async (change: ReturnType<typeof sql>, event: object): Promise<void> => {
  await sql`UPDATE chat_session SET ${change} WHERE id = ${session}::bigint`.execute(database.kysely);
  await tell(event);
};
const figure = async (name: string): Promise<number> =>
  Number(new RegExp(`^${name.replaceAll(/[{}"]/g, '\\$&')} (\\d+)$`, 'm').exec(await metrics.collect())?.[1]);

describe('a topic', () => {
  it('[TG16] is created with the first message, renamed and closed with its chat, and reopened', async () => {
    worker.start();
    await asks('Где заказ?');
    const topic = await shows('Где заказ?');
    expect(topic.name).toBe(`Иван · Чат ${session} · никто не взял`);
    await become(sql`status = 'active', assigned_user_id = 'anna', assigned_user_name = 'Анна'`, {
      type: 'chat.session.assigned',
      data: { assigned_user_id: 'anna', assigned_user_name: 'Анна', by: 'anna' },
    });
    await soon('a new name', () => topic.name === `Иван · Чат ${session} · Анна`);
    await become(sql`status = 'closed'`, {
      type: 'chat.session.status',
      data: { status: 'closed', previous: 'active', reason: 'operator', by: 'anna' },
    });
    await soon('it is closed', () => topic.closed && topic.name.startsWith('✓ '));
    expect(inTopic(topic.threadId)).toContain('Чат закрыт');
    await become(sql`status = 'active'`, {
      type: 'chat.session.status',
      data: { status: 'active', previous: 'closed', reason: 'customer_message' },
    });
    await soon('it is open', () => !topic.closed && topic.name === `Иван · Чат ${session} · Анна`);
    expect([forum.topics.length, topic.names.length]).toEqual([1, 4]);
  });

  it('[TG16] is renamed once for several simultaneous changes', async () => {
    worker.start();
    await asks('Привет');
    const topic = await shows('Привет');
    for (const name of ['Пётр', 'Павел', 'Мария']) {
      await become(sql`name = ${name}`, {
        type: 'chat.message',
        data: message(`для ${name}`, { sender_type: 'operator', sender_id: 'anna', sender_name: 'Анна' }),
      });
    }
    await soon('the last name', () => topic.name.startsWith('Мария'));
    expect(topic.names).toHaveLength(2);
  });
});

describe('the language of a group', () => {
  it('[TG16] is used for the names of topics and for everything the bot posts there', async () => {
    await worker.stop();
    messages = new GroupMessages(new People(database, BOT), topics, textsFor('en'));
    worker = newWorker(createMetrics('telegram-bot'), 'en');
    worker.start();
    await asks('Where is it?');
    const topic = await shows('Where is it?');
    expect(topic.name).toBe(`Иван · Chat ${session} · unassigned`);
    expect(inTopic(topic.threadId)).toContain('A reply to a message of the bot goes to the customer.');
    await become(sql`status = 'closed'`, {
      type: 'chat.session.status',
      data: { status: 'closed', previous: 'open', reason: 'operator', by: 'anna' },
    });
    await shows('Chat closed');
  });
});

describe('the limits of a group', () => {
  it('[TG18] are kept: waiting messages are joined, in order, within 20 calls a minute', async () => {
    forum.perMinute = 20;
    const others = await Promise.all(['Олег', 'Яна', 'Ким'].map(newSession));
    for (let n = 1; n <= 15; n += 1) for (const id of others) await asks(`${id}-вопрос-${n}.`, id);
    worker.start();
    for (const id of others) {
      const topic = await shows(`${id}-вопрос-15.`);
      const places = [...inTopic(topic.threadId).matchAll(/(\d+)-вопрос-(\d+)\./g)].map(([, of, n]) => [
        Number(of),
        Number(n),
      ]);
      expect(places).toEqual(Array.from({ length: 15 }, (_, index) => [id, index + 1]));
    }
    expect(forum.taken.length).toBeLessThanOrEqual(12);
    expect(await figure('chat_telegram_sends_total{result="rate_limited"}')).toBe(0);
  });

  it('[TG18] include retry_after, and nothing is lost', async () => {
    api.faults.next('sendMessage', { kind: 'error', code: 429, parameters: { retry_after: 1 } });
    worker.start();
    await asks('Терпение');
    await shows('Терпение');
    expect(inTopic(forum.topics[0]?.threadId).match(/Терпение/g)).toHaveLength(1);
  });
});

describe('a message that Telegram does not accept', () => {
  it('[TG18] holds up the group for a limited time: it is sent reduced, and the waiting ones follow', async () => {
    await worker.stop();
    retryBudget = new RetryBudget({ isThere: () => true, tries: 2, lastsMs: 0 });
    worker = newWorker(metrics);
    await asks('Первое');
    worker.start();
    await shows('Первое');
    const lift = api.faults.next('sendDocument', { kind: 'error', code: 500 }, 1_000);
    const file = { id: 'f', url: '/f/1', name: 'акт.pdf', mime: 'application/pdf', size: 5 };
    files.set(file.url, Buffer.from('x'));
    await tell({ type: 'chat.message.client', data: { ...message('Вот акт'), attachments: [file] } });
    await asks('И ещё вопрос');
    const { threadId } = await shows('И ещё вопрос');
    lift();
    expect(inTopic(threadId)).toMatch(/Вот акт\n📎 акт\.pdf — см\. чат на сайте[^]*И ещё вопрос/);
  });
});

describe('changes of a group', () => {
  it('[TG19] a deleted topic is created again with the next message, which says so', async () => {
    worker.start();
    await asks('Первое');
    const { threadId } = await shows('Первое');
    forum.delete(threadId);
    await asks('Второе');
    await shows('Второе');
    expect(forum.topics).toHaveLength(1);
    expect(await figure('chat_telegram_group_problems_total{cause="topic_deleted"}')).toBe(1);
  });

  it('[TG19] a group that became a supergroup is followed', async () => {
    worker.start();
    api.migrate(group, group - 500_000);
    const old = forum;
    forum = api.forums.open(group - 500_000);
    await asks('Переезд');
    await shows('Переезд');
    expect([old.topics.length, await topics.groupId()]).toEqual([0, group - 500_000]);
    expect(await figure('chat_telegram_group_problems_total{cause="moved"}')).toBe(1);
  });

  it('[TG19] missing rights or topics are reported once, and it continues when they are there', async () => {
    forum.isAdmin = false;
    worker.start();
    await asks('Нет прав');
    const errors = () => logged.filter((line) => line.includes('cannot be used'));
    await soon('it is said', () => errors().length > 0);
    worker.retry();
    await soon('it was tried again', () => api.calls.filter((call) => call === 'createForumTopic').length > 1);
    expect(await figure('chat_telegram_group_ready')).toBe(0);
    forum.isAdmin = true;
    worker.retry();
    await shows('Нет прав');
    expect([errors().length, await figure('chat_telegram_group_ready')]).toEqual([1, 1]);
    expect(await figure('chat_telegram_group_problems_total{cause="not_admin"}')).toBe(1);
    forum.isForum = false;
    session = await newSession(null);
    await asks('Нет тем');
    await soon('the other is said', () => errors().some((line) => line.includes('no_forum')));
  });

  it('[TG19] a crash duplicates neither topic nor message, except if the result is unknown, which is counted', async () => {
    worker.start();
    await asks('До падения');
    await shows('До падения');
    await worker.stop();
    // A killed process leaves this: the mark is stored, the response was never read.
    const other = await newSession('Олег');
    await asks('Неизвестно', other);
    await topics.making(other);
    worker = newWorker((metrics = createMetrics('telegram-bot')));
    worker.start();
    await asks('После падения');
    await shows('Неизвестно');
    await shows('После падения');
    expect(forum.topics).toHaveLength(2);
    expect(await figure('chat_telegram_ambiguous_sends_total{cause="crash"}')).toBe(1);
    expect(inTopic(forum.topics[0]?.threadId).match(/До падения/g)).toHaveLength(1);
  });
});

describe('an erased message', () => {
  it('[TG20] is not sent any more, neither to the group nor to people', async () => {
    const sends = new SendStore(database, BOT);
    await asks('Стереть', session);
    const to = { kind: 'anybody', chatId: 77 } as const;
    await sends.add([{ to, content: { kind: 'text', text: 'Стереть' }, sessionId: session, messageId: seq }]);
    await sql`INSERT INTO telegram_relay (feed_seq) VALUES (${seq}::bigint)`.execute(database.kysely);
    const erased = { scope: 'before', through_id: seq, kinds: ['messages'] };
    const event = staffEventSchema.parse({
      type: 'chat.erased',
      session_id: session,
      seq: 900,
      feed_seq: seq + 1,
      data: erased,
    });
    const page = { events: [event], cursor: seq + 1, hasMore: false, reset: false };
    const reader = new FeedReader({
      database,
      sends,
      source: { feed: async () => page, acks: async () => undefined },
      frames: { connected: true, start: () => undefined, stop: async () => undefined },
      sendsFor: async () => [],
      logger: createLogger({ service: 'telegram-bot', level: 'silent' }),
      added: () => undefined,
      leftOut: () => undefined,
    });
    reader.start();
    const queued = async () => (await sends.pending()) + (await topics.pending());
    await until(async () => (await queued()) <= 1, {
      timeoutMs: 8_000,
      everyMs: 20,
      what: 'nothing but the hint is queued',
    });
    await reader.stop();
    expect((await topics.due())?.sends.map(({ messageId }) => messageId)).toEqual([null]);
  });
});
