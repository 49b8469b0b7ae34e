import { createSessionResponseSchema } from '@chat-realtime/protocol';
import { type SmtpDouble, startSmtp } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { simpleParser } from 'mailparser';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest } from '../../test/chat-under-test.ts';
import { CustomerNotices, LATELY } from '../notify/customer-notices.ts';
import { MailIntake } from './mail-intake.ts';
import { MailLinks } from './mail-links.ts';
import { MailSender, type MailSenderParts } from './mail-sender.ts';
import { MailWriter } from './mail-writer.ts';
import { Transcripts } from './transcript.ts';

/** What is sent to a real server. No test waits: each run of the sender is called. */
let smtp: SmtpDouble;
let chat: ChatUnderTest;
let links: MailLinks;
let writer: MailWriter;
let notices: CustomerNotices;
let anna: string;
beforeAll(async () => {
  [smtp, chat] = await Promise.all([startSmtp(), ChatUnderTest.start()]);
  anna = await chat.staff('anna');
  links = new MailLinks(chat.database, CHANNEL_SECRET);
  notices = new CustomerNotices(chat.database, true);
  writer = new MailWriter({
    database: chat.database,
    context: chat.context,
    transcripts: new Transcripts(chat.context, () => Promise.resolve('UTC')),
    links,
    addresses: undefined,
    from: { name: 'Лампы', address: 'support@shop.example' },
    publicUrl: 'https://chat.shop.example',
    allowedOrigins: async () => [],
  });
});
afterAll(async () => {
  await chat?.stop();
  await smtp?.stop();
});
beforeEach(async () => {
  // Chats of earlier tests must not affect the next one.
  await sql`UPDATE chat_session SET email = NULL`.execute(chat.database.kysely);
  await sql`DELETE FROM mail`.execute(chat.database.kysely);
});

const begin = async (email: string) => {
  const body = { email, locale: 'ru' };
  const { session, token } = (await chat.call('POST', '/chat/session', { body })).as(createSessionResponseSchema);
  return { id: session.id, token };
};
const say = async ({ id }: { id: number }, token: string, body: string): Promise<number> => {
  const message = { body, client_message_id: randomUUID() };
  const answer = await chat.call('POST', `/chat/session/${id}/messages`, { token, body: message });
  return JSON.parse(answer.text).message.id;
};
const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const send = async (by: MailSenderParts['writer'] = writer): Promise<void> => {
  const sender = new MailSender({
    database: chat.database,
    writer: by,
    smtpUrl: smtp.url,
    log,
    ended: () => undefined,
    ambiguous: () => undefined,
  });
  await sender.startDue();
  await sender.stop();
};
const runSweep = () => notices.run(0);
const textsTo = (address: string): Promise<string[]> =>
  Promise.all(
    smtp.mails.filter(({ to }) => to.includes(address)).map(async ({ raw }) => (await simpleParser(raw)).text ?? ''),
  );
const rows = () => chat.database.kysely.selectFrom('mail').selectAll().orderBy('id').execute();
const rename = ({ id }: { id: number }, email: string) =>
  sql`UPDATE chat_session SET email = ${email} WHERE id = ${id}::bigint`.execute(chat.database.kysely);

describe('a mail of replies that is about to be sent', () => {
  it('[NTF7] contains what its customer has not seen since, and is not sent if they have seen everything', async () => {
    const [some, all] = [await begin('some@mail.example'), await begin('all@mail.example')];
    const first = await say(some, anna, 'Первое');
    await say(some, anna, 'Второе');
    const last = await say(all, anna, 'Единственное');
    await runSweep();
    expect(await rows()).toHaveLength(2);
    await chat.operations.markRead({ kind: 'customer', sessionId: some.id }, some.id, first);
    await chat.operations.markRead({ kind: 'customer', sessionId: all.id }, all.id, last);
    await send();
    const [text = ''] = await textsTo('some@mail.example');
    expect([text.includes('Первое'), text.includes('Второе')]).toEqual([false, true]);
    expect(await textsTo('all@mail.example')).toEqual([]);
  });

  it('[NTF7] is not sent to customers whom Telegram reaches, and is sent when it does not any more', async () => {
    const session = await begin('telegram@mail.example');
    await say(session, anna, 'Да');
    await runSweep();
    const { kysely } = chat.database;
    await sql`INSERT INTO telegram_bot (bot_id, username) VALUES (1, 'shop_bot')`.execute(kysely);
    await sql`INSERT INTO customer_telegram (session_id, telegram_user_id) VALUES (${session.id}::bigint, 77)`.execute(
      kysely,
    );
    await send();
    await runSweep();
    await send();
    expect(await textsTo('telegram@mail.example')).toEqual([]);
    await sql`UPDATE customer_telegram SET blocked_at = clock_timestamp()`.execute(kysely);
    await runSweep();
    await send();
    expect(await textsTo('telegram@mail.example')).toHaveLength(1);
    await sql`DELETE FROM telegram_bot`.execute(kysely);
  });

  it('[NTF7] goes to the new address if the first was changed before it was sent', async () => {
    const session = await begin('typo@mail.example');
    await say(session, anna, 'Ваш заказ готов');
    await runSweep();
    await rename(session, 'Right@mail.example');
    await send();
    await runSweep();
    await send();
    expect(await textsTo('typo@mail.example')).toEqual([]);
    expect(await textsTo('right@mail.example')).toEqual([expect.stringContaining('Ваш заказ готов')]);
    await runSweep();
    expect(await rows()).toHaveLength(2);
  });

  it('[NTF7] goes to the next address if the first does not exist, and never in circles', async () => {
    const session = await begin('nobody@mail.example');
    await say(session, anna, 'Ваш заказ готов');
    await runSweep();
    smtp.fail('unknown_mailbox', 1);
    for (let round = 0; round < 3; round += 1) {
      await send();
      await runSweep();
    }
    expect(await rows()).toHaveLength(1);
    await rename(session, 'somebody@mail.example');
    await runSweep();
    await send();
    expect(await textsTo('nobody@mail.example')).toEqual([]);
    expect(await textsTo('somebody@mail.example')).toEqual([expect.stringContaining('Ваш заказ готов')]);
  });

  it('[NTF7] goes to the next address if the first turned out not to exist after it was sent', async () => {
    const session = await begin('bounced@mail.example');
    await say(session, anna, 'Ваш заказ готов');
    await runSweep();
    await send();
    const [mail] = await rows();
    const intake = new MailIntake({
      ...{ database: chat.database, context: chat.context, links, log, addresses: undefined },
      attachments: { upload: () => Promise.reject(new Error('a report has no files')) },
      rates: { message: () => Promise.resolve() },
      from: { name: 'Лампы', address: 'support@shop.example' },
      taken: () => undefined,
    });
    const report = [
      'Content-Type: message/delivery-status',
      '',
      'Final-Recipient: rfc822; x@y.example',
      'Action: failed',
      'Status: 5.1.1',
    ];
    const of = [
      'Content-Type: text/rfc822-headers',
      '',
      `Message-ID: <${links.messageName(mail?.id ?? 0)}@shop.example>`,
    ];
    const head = ['Message-ID: <1@mail.example>', 'From: MAILER-DAEMON@mail.example', 'To: support@shop.example'];
    const type = 'Content-Type: multipart/report; report-type=delivery-status; boundary=r';
    const raw = [...head, type, '', '--r', ...report, '', '--r', ...of, '--r--', ''].join('\r\n');
    expect(await intake.take(Buffer.from(raw))).toEqual({ outcome: 'bounce' });
    await runSweep();
    expect(await rows()).toHaveLength(1);
    await rename(session, 'arrived@mail.example');
    await runSweep();
    await send();
    expect(await textsTo('arrived@mail.example')).toEqual([expect.stringContaining('Ваш заказ готов')]);
  });

  it('[NTF7] says how many more replies there are, whatever the customer wrote in between', async () => {
    const session = await begin('more@mail.example');
    await say(session, anna, 'Ответ 1');
    for (let n = 1; n <= 100; n += 1) await say(session, session.token, `Вопрос ${n}`);
    for (let n = 2; n <= 22; n += 1) await say(session, anna, `Ответ ${n}`);
    await runSweep();
    await send();
    const [text = ''] = await textsTo('more@mail.example');
    expect(text.match(/Ответ \d+/g)).toEqual(Array.from({ length: 20 }, (_, index) => `Ответ ${index + 1}`));
    expect(text).toContain('…и ещё сообщений: 2.');
    expect(text).not.toContain('Вопрос');
  });
});

describe('a mail of an alert that is about to be sent', () => {
  it('[NTF7] is not sent for a callback that somebody is already making', async () => {
    const session = await begin('caller@mail.example');
    const request = { session_id: session.id, phone: '8 (999) 123-45-67', consent: true };
    await chat.call('POST', '/chat/callback', { token: session.token, body: request });
    await chat.call('PUT', '/chat/operators/me/notifications', {
      token: anna,
      body: { mail: ['callback_requested'], email: 'anna@shop.example' },
    });
    const queue = async (key: string) => {
      await sql`WITH raised AS (
          INSERT INTO chat_alert (reason, session_id, callback_id, dedupe_key)
          SELECT 'callback_requested', session_id, id, ${key} FROM chat_callback WHERE session_id = ${session.id}::bigint RETURNING id)
        INSERT INTO mail (kind, dedupe_key, session_id, alert_id, user_id, reason, address)
        SELECT 'alert', ${key}, ${session.id}::bigint, id, 'anna', 'callback_requested', 'anna@shop.example' FROM raised`.execute(
        chat.database.kysely,
      );
      await send();
      return (await textsTo('anna@shop.example')).length;
    };
    expect(await queue('alert:1')).toBe(1);
    await sql`UPDATE chat_callback SET status = 'calling', assigned_user_id = 'anna'`.execute(chat.database.kysely);
    expect(await queue('alert:2')).toBe(1);
  });
});

describe('a mail that fails while it is written', () => {
  it('[NTF8] delays no other, and is given up after two days', async () => {
    for (let n = 0; n < 4; n += 1) await say(await begin(`broken${n}@mail.example`), anna, 'Ответ');
    await runSweep();
    const well = await begin('well@mail.example');
    await say(well, anna, 'Ответ');
    await runSweep();
    const faulty: MailSenderParts['writer'] = {
      write: (row) => (row.address.startsWith('broken') ? Promise.reject(new Error('a bug')) : writer.write(row)),
    };
    await send(faulty);
    await send(faulty);
    expect(await textsTo('well@mail.example')).toHaveLength(1);
    expect((await rows()).map(({ attempts, failed_at: at }) => [attempts, at])).toEqual(Array(5).fill([1, null]));
    await sql`UPDATE mail SET created_at = created_at - interval '3 days', next_attempt_at = clock_timestamp()`.execute(
      chat.database.kysely,
    );
    await send(faulty);
    expect((await rows()).filter(({ failed_at: at }) => at !== null)).toHaveLength(4);
  });
});

describe('devices of customers', () => {
  it('[NTF8] are checked where a message was sent lately', async () => {
    const [now, long] = [await begin('now@mail.example'), await begin('long@mail.example')];
    for (const session of [now, long]) {
      await sql`INSERT INTO push_subscription (endpoint_hash, endpoint, p256dh, auth, session_id)
        VALUES (${randomUUID()}, 'https://push.example/x', 'k', 'a', ${session.id}::bigint)`.execute(
        chat.database.kysely,
      );
      await say(session, anna, 'Ответ');
    }
    await sql`UPDATE chat_event SET created_at = created_at - interval '1 minute'`.execute(chat.database.kysely);
    // No message is newer than its chat's last change, so a skipped chat has nothing to report.
    await sql`UPDATE chat_session SET updated_at = updated_at - interval '26 hours' WHERE id = ${long.id}::bigint`.execute(
      chat.database.kysely,
    );
    await runSweep();
    const told = await chat.database.kysely.selectFrom('push_notice').select('session_id').execute();
    expect(told).toEqual([{ session_id: now.id }]);
  });

  it('[NTF8] are found with an index, however many old chats there are', async () => {
    const plan = await chat.database.kysely.transaction().execute(async (trx) => {
      await sql`SET LOCAL enable_seqscan = off`.execute(trx);
      return sql<{
        'QUERY PLAN': string;
      }>`EXPLAIN SELECT s.id FROM chat_session s CROSS JOIN LATERAL (SELECT 0 AS id) seen
        WHERE ${LATELY}`.execute(trx);
    });
    expect(plan.rows.map((row) => row['QUERY PLAN']).join('\n')).toMatch(/Index Cond: \(s?\.?updated_at > /);
  });
});
