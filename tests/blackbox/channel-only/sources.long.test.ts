import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Customer,
  type Frame,
  HttpClient,
  ofType,
  type SiteKind,
  startMariaDb,
  startPostgres,
  startRabbit,
  tempFolder,
  until,
} from '@chat-realtime/testkit';
import { connect } from 'amqplib';
import { afterAll, describe, expect, test } from 'vitest';
import { sampleSite, sampleYaml } from '../../../libs/table-source/src/testing/sample-site.ts';
import { Chat, durable } from '../../support/chat.ts';
import { SECRETS } from '../../support/profiles.ts';
import { type StandaloneTarget, startStandalone } from '../../support/standalone-target.ts';
import { untilAdmitted } from '../../support/target.ts';
import { channelToken } from '../../support/tokens.ts';
import { assigned, message, reached, reply, status } from './site.ts';

/** A manager of the site, under the number that its tables have. */
const ANNA = '7';

/** Told 15 s after the last look at the source, which is at most 5 s old, with the tick that follows; the rest is for a busy machine. */
const DEGRADED_MS = 45_000;
/** Tables are tried again every 10 s at the latest, a broker every 5 s, and set up anew; the next tick tells it. */
const RESTORED_MS = 60_000;

/** What happens at the site, whatever tells the chat of it. */
interface SiteOfShop {
  readonly settings: Readonly<Record<string, string>>;
  /** Answers the chat's number. */
  begins(name: string): Promise<number>;
  writes(chat: number, text: string): Promise<void>;
  answers(chat: number, text: string): Promise<void>;
  notes(chat: number, text: string): Promise<void>;
  takes(chat: number): Promise<void>;
  closes(chat: number): Promise<void>;
  /** The chat can no longer read what the site writes, or can again. */
  breaks(): Promise<void>;
  mends(): Promise<void>;
  end(): Promise<void>;
}

async function byTables(kind: SiteKind): Promise<SiteOfShop> {
  const server = kind === 'mysql' ? await startMariaDb() : await startPostgres();
  const site = await sampleSite(kind, await server.createDatabase());
  await site.install();
  const { client } = site;
  await client.query("INSERT INTO manager (id, full_name) VALUES (?, 'Анна')", [ANNA]);
  const file = join(tempFolder('sources'), 'tables.yaml');
  writeFileSync(file, sampleYaml(kind, '${SITE_DATABASE_URL}', 'reconcile_seconds: 5'));
  const note = 'INSERT INTO chat_message (chat_id, sender, user_id, text, is_note) VALUES (?, ?, ?, ?, ?)';
  const asManager = (chat: number, text: string, isNote: 'true' | 'false') =>
    client.query(note.replace(/\?\)$/, `${isNote})`), [chat, 'manager', ANNA, text]);
  return {
    settings: { TABLE_SOURCE: file, SITE_DATABASE_URL: client.url },
    begins: async (name) => {
      const [row] = await client.query('INSERT INTO chat (guest_name) VALUES (?) RETURNING id', [name]);
      return Number(row?.['id']);
    },
    writes: (chat, text) => site.write(String(chat), text),
    answers: async (chat, text) => void (await asManager(chat, text, 'false')),
    notes: async (chat, text) => void (await asManager(chat, text, 'true')),
    takes: async (chat) => {
      await client.query('UPDATE chat SET manager_id = ?, state = 1 WHERE id = ?', [ANNA, chat]);
    },
    closes: async (chat) => {
      await client.query('UPDATE chat SET state = 2 WHERE id = ?', [chat]);
    },
    breaks: async () => {
      await client.query('ALTER TABLE chat_realtime_outbox RENAME TO put_away');
    },
    mends: async () => {
      await client.query('ALTER TABLE put_away RENAME TO chat_realtime_outbox');
    },
    end: async () => {
      await client.close();
      await server.stop();
    },
  };
}

async function byRabbit(): Promise<SiteOfShop> {
  const rabbit = await startRabbit();
  const EXCHANGE = 'shop';
  let count = 0;
  const open = async () => {
    const model = await connect(rabbit.url);
    model.on('error', () => undefined);
    const channel = await model.createConfirmChannel();
    channel.on('error', () => undefined);
    await channel.assertExchange(EXCHANGE, 'topic', { durable: true });
    return { model, channel };
  };
  let { model, channel } = await open();
  const publish = async (event: object) => {
    count += 1;
    // Mandatory would be the site's choice; here the chat reads before anything is published.
    channel.publish(EXCHANGE, 'chat.event', Buffer.from(JSON.stringify(event)), {
      persistent: true,
      messageId: `event-${count}`,
    });
    await channel.waitForConfirms();
  };
  let chats = 40;
  let messages = 400;
  return {
    settings: { RABBITMQ_SOURCE: `exchange:${EXCHANGE}/chat.#`, RABBITMQ_SOURCE_URL: rabbit.url },
    begins: async (name) => {
      chats += 1;
      const data = { session: { id: chats, status: 'new' }, contact: { name } };
      await publish({ type: 'chat.session.created', session_id: chats, data });
      return chats;
    },
    writes: (chat, text) => publish(message(chat, (messages += 1), text)),
    answers: (chat, text) => publish(reply(chat, (messages += 1), text)),
    // What is for colleagues alone such a site does not publish.
    notes: async () => undefined,
    takes: async (chat) => {
      const taken = assigned(chat, ANNA);
      await publish({ ...taken, data: { ...(taken['data'] as object), assigned_user_name: 'Анна' } });
      await publish(status(chat, 'active'));
    },
    closes: (chat) => publish(status(chat, 'closed')),
    breaks: async () => {
      await model.close();
      await rabbit.stop();
    },
    mends: async () => {
      await rabbit.start();
      ({ model, channel } = await open());
    },
    end: async () => {
      // Where the test ended while the broker was away, it is closed already.
      await model.close().catch(() => undefined);
      await rabbit.stop();
    },
  };
}

interface Shown {
  readonly type: string;
  readonly seq?: number | null | undefined;
  readonly data: object;
}

/** As a person reads it on their page, `me` being how the customer is called there. */
function asRead(frames: readonly Shown[], me: string): string[] {
  const lasting = frames.filter(({ seq }) => seq !== null);
  return lasting.map(({ type, data: said }) => {
    const data: Readonly<Record<string, unknown>> = { ...said };
    switch (type) {
      case 'chat.session.created':
        return '— начало —';
      case 'chat.message':
      case 'chat.message.client':
        return `${data['sender_type'] === 'client' ? me : String(data['sender_name'])}: ${String(data['body'])}`;
      case 'chat.session.assigned':
        return `— отвечает ${String(data['assigned_user_name'])} —`;
      case 'chat.session.status':
        return `— ${String(data['status'])} —`;
      default:
        return type;
    }
  });
}

const conversation = (me: string): string[] => [
  '— начало —',
  `${me}: Здравствуйте! Заказ 1042 ещё не пришёл.`,
  `${me}: Прошла неделя.`,
  '— отвечает Анна —',
  '— active —',
  'Анна: Добрый день, Вера! Сейчас проверю.',
  'Анна: Он на складе в Туле и будет завтра.',
  `${me}: Спасибо, подожду.`,
  'Анна: Хорошего дня!',
  '— closed —',
];

describe.each<[string, () => Promise<SiteOfShop>]>([
  ['the broker of the site', byRabbit],
  ['its tables, PostgreSQL', () => byTables('postgresql')],
  ['its tables, MariaDB', () => byTables('mysql')],
])('a site that keeps its chat, read from %s', (_, begin) => {
  let site: SiteOfShop | undefined;
  let target: StandaloneTarget | undefined;
  let chat: Chat | undefined;
  afterAll(async () => {
    await chat?.closeAll();
    chat?.dispose();
    await target?.stop();
    await site?.end();
  });

  test('[BES1] [BES9] [BES17] [TAB5] [BES39] a whole conversation, with a restart and a source that is unavailable for a while', async () => {
    site = await begin();
    target = await startStandalone({ profile: 'channel-only', webhookUrl: '', siteOrigin: '' }, site.settings);
    chat = new Chat(new HttpClient(target.baseUrl), 'channel-only', { baseUrl: target.baseUrl, kind: 'standalone' });
    await untilAdmitted(target.baseUrl);
    const { http } = chat;
    await until(
      async () =>
        /^chat_intake_source_connected\{.*\} 1$/m.test((await http.get('/metrics', { token: SECRETS.metrics })).text),
      { timeoutMs: 60_000, what: 'the source is read' },
    );
    const anna = await chat.foreignStaff({ sub: ANNA, name: 'Анна' });
    const desk = await chat.staffChannel(anna);

    const id = await site.begins('Вера');
    await site.writes(id, 'Здравствуйте! Заказ 1042 ещё не пришёл.');
    await site.writes(id, 'Прошла неделя.');
    const visitor = new Customer(chat.http, id, channelToken(id), '');
    const shown = (text: string) => (frame: Frame) => frame.session_id === id && frame.data['body'] === text;
    await desk.waitFor(shown('Прошла неделя.'), { timeoutMs: 30_000, label: 'both at the console' });
    const page = await chat.channel(visitor, { lastSeq: 0 });
    await page.waitFor(reached(3), { label: 'both at the page' });
    // Nobody's, unread, with the name that only staff see.
    expect(await anna.row(id)).toMatchObject({ status: 'new', unread_count: 2, contact: { name: 'Вера' } });
    expect((await anna.alerts()).unassigned_unread).toBe(1);
    expect(JSON.stringify(page.frames)).not.toContain('Вера');

    await site.takes(id);
    await until(async () => (await anna.row(id)).status === 'active', { timeoutMs: 20_000, what: 'hers' });
    expect(await anna.alerts()).toMatchObject({ unassigned_unread: 0, mine_unread: 1 });
    await anna.read(id, (await anna.row(id)).last_message?.id ?? 0);
    await page.waitFor((frame) => frame.type === 'chat.read', { label: 'read by staff' });
    expect(await anna.alerts()).toMatchObject({ unassigned_unread: 0, mine_unread: 0 });
    await site.notes(id, 'Клиент сердится, не обещать лишнего.');
    await site.answers(id, 'Добрый день, Вера! Сейчас проверю.');
    const answer = await page.waitFor(shown('Добрый день, Вера! Сейчас проверю.'), {
      timeoutMs: 20_000,
      label: 'the answer',
    });
    page.send({ type: 'ack', last_id: Number(answer.data['id']) });
    await until(async () => (await anna.row(id)).client_last_seen_id === answer.data['id'], {
      what: 'seen by the customer',
    });

    // The chat is updated while the site goes on: page and console come back to where they were.
    await Promise.all([target.restart(), site.answers(id, 'Он на складе в Туле и будет завтра.')]);
    await untilAdmitted(target.baseUrl);
    // It may have come before the old process ended.
    const again = await chat.channel(visitor, { lastSeq: durable(page.frames).at(-1)?.seq ?? 0 });
    await until(() => [...page.frames, ...again.frames].some(shown('Он на складе в Туле и будет завтра.')), {
      timeoutMs: 30_000,
      what: 'the answer of that moment',
    });
    await site.writes(id, 'Спасибо, подожду.');
    await site.answers(id, 'Хорошего дня!');
    await site.closes(id);
    await again.waitFor(reached(10), { timeoutMs: 20_000, label: 'the end' });
    expect(asRead([...page.frames, ...again.frames], 'Я')).toEqual(conversation('Я'));
    const feed = (await anna.feed({ limit: 500 })).events.filter(({ session_id }) => session_id === id);
    expect(asRead(feed, 'Вера')).toEqual(conversation('Вера'));
    expect(await anna.row(id)).toMatchObject({ status: 'closed', contact: { name: 'Вера' } });

    // The source is away: clients are told so, and poll the site as before, until it is read again.
    expect(again.frames.filter(ofType('channel.degraded'))).toEqual([]);
    await site.breaks();
    const degraded = await again.waitFor(ofType('channel.degraded'), { timeoutMs: DEGRADED_MS, label: 'degraded' });
    expect(degraded.data).toEqual({ reason: 'source_unavailable' });
    const late = await chat.channel(visitor, { lastSeq: 10 });
    await late.waitFor(ofType('channel.degraded'), { label: 'who comes meanwhile is told too' });
    await site.mends();
    await again.waitFor(ofType('channel.restored'), { timeoutMs: RESTORED_MS, label: 'restored' });
    await site.writes(id, 'Пришёл!');
    await again.waitFor(shown('Пришёл!'), { timeoutMs: 60_000, label: 'what is written then' });
    expect(durable([...page.frames, ...again.frames]).map(({ seq }) => seq)).toEqual(
      Array.from({ length: 11 }, (__, index) => index + 1),
    );
  }, 600_000);
});
