import { createSessionResponseSchema } from '@chat-realtime/protocol';
import {
  type ImapServer,
  PushService,
  type ReceivedMail,
  type SmtpDouble,
  startDovecot,
  startSmtp,
  until,
} from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { simpleParser } from 'mailparser';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { REPLY_LINES } from '../mail/written-text.ts';

/** Mail and push from their cause to the reader, over real servers, in the leader's periodic runs. */
let smtp: SmtpDouble;
let imap: ImapServer;
let push: PushService;
let chat: ChatUnderTest;
let anna: string;
let boris: string;
beforeAll(async () => {
  [smtp, imap, push] = await Promise.all([startSmtp(), startDovecot(), PushService.start()]);
  chat = await ChatUnderTest.start({
    SMTP_URL: smtp.url,
    MAIL_FROM: 'Лампы <support@shop.example>',
    PUBLIC_URL: 'https://chat.shop.example',
    MAIL_INBOUND: imap.url,
    MAIL_POLL_SECONDS: '1',
    REPLY_UNSEEN_SECONDS: '1',
    ALERT_WAITING_SECONDS: '1',
    PUSH_PRIVATE_HOSTS: push.host,
  });
  [anna, boris] = await Promise.all([chat.staff('anna'), chat.staff('boris')]);
  chat.chat.start();
}, 240_000);
afterAll(async () => {
  await chat?.stop();
  await Promise.all([smtp?.stop(), imap?.stop(), push?.stop()]);
});
beforeEach(async () => {
  // Causes of earlier tests must not affect the next one.
  await sql`UPDATE chat_session SET waiting_since = NULL, email = NULL`.execute(chat.database.kysely);
  await sql`DELETE FROM push_subscription`.execute(chat.database.kysely);
  await sql`DELETE FROM notify_setting`.execute(chat.database.kysely);
});

const LONG = { timeoutMs: 40_000 };
const begin = async (request: object = {}) => {
  const { session, token } = (await chat.call('POST', '/chat/session', { body: request })).as(
    createSessionResponseSchema,
  );
  return { id: session.id, token };
};
const say = async (session: { id: number }, token: string, body: string): Promise<number> => {
  const answer = await chat.call('POST', `/chat/session/${session.id}/messages`, {
    token,
    body: { body, client_message_id: randomUUID() },
  });
  return JSON.parse(answer.text).message.id;
};
const mailsTo = (address: string): ReceivedMail[] => smtp.mails.filter(({ to }) => to.includes(address));
const mailTo = (address: string): Promise<ReceivedMail> =>
  until(() => mailsTo(address)[0], { ...LONG, what: `a mail to ${address}` });
const header = ({ raw }: ReceivedMail, name: string): string =>
  (new RegExp(`^${name}:((?:[^\\r]|\\r\\n[ \\t])*)`, 'im').exec(raw)?.[1] ?? '').replaceAll(/\r\n[ \t]/g, ' ').trim();
/** Both forms of it, as a mail program reads them. */
const read = ({ raw }: ReceivedMail) => simpleParser(raw);
const textOf = async (mail: ReceivedMail): Promise<string> => (await read(mail)).text ?? '';
/** Makes replies old without waiting. */
const age = (id: number, seconds: number) =>
  sql`UPDATE chat_event SET created_at = created_at - make_interval(secs => ${seconds}) WHERE session_id = ${id}::bigint`.execute(
    chat.database.kysely,
  );
const ambiguous = async (): Promise<number> => {
  const text = await chat.metrics.collect();
  return Number(/^chat_mail_ambiguous_sends_total (\d+)/m.exec(text)?.[1] ?? 0);
};

describe('a customer who closed the tab', () => {
  it('[NTF2] [NTF3] gets one mail of what they missed; their answer comes to the chat, and the link back opens once', async () => {
    const session = await begin({ name: 'Ольга', email: 'Olga@Mail.example', locale: 'ru' });
    await say(session, session.token, 'Есть лампа?');
    // Both at once, in either order: a mail due a second after the first would not wait for the other.
    await Promise.all([say(session, anna, 'Да, есть.'), say(session, anna, 'Сколько штук?')]);
    const mail = await mailTo('olga@mail.example');
    const text = await textOf(mail);
    expect(text).toContain(REPLY_LINES.ru);
    expect(text).toContain('Да, есть.');
    expect(text).toContain('Сколько штук?');
    expect(text).not.toContain('Есть лампа?');
    expect(header(mail, 'List-Unsubscribe')).toMatch(/^<https:\/\/chat\.shop\.example\/chat\/mail\/unsubscribe\?sig=/);
    expect(header(mail, 'List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click');
    expect(header(mail, 'Auto-Submitted')).toBe('auto-generated');
    const replyTo = header(mail, 'Reply-To');
    expect(replyTo).toMatch(/^support\+c[0-9a-z]+-[0-9a-f]{20}@shop\.example$/);
    expect(mail.from).toBe(replyTo);
    // The code is after the `#`: no server on the way receives it.
    const link = /https:\/\/chat\.shop\.example\/#chat-return=([\w-]+)/.exec(text);
    const opened = await chat.call('POST', '/chat/mail/return', { body: { code: link?.[1] } });
    expect([opened.status, JSON.parse(opened.text).session.id]).toEqual([200, session.id]);
    const quoted = text.split('\n').map((line) => `> ${line}`);
    await imap.deliver(
      [
        `Message-ID: <${randomUUID()}@mail.example>`,
        'From: Olga <olga@mail.example>',
        `To: ${replyTo}`,
        'Content-Type: text/plain; charset=utf-8',
        '',
        'Две, пожалуйста.',
        '',
        '29.11.2026 10:00, Лампы пишет:',
        ...quoted,
      ].join('\r\n'),
    );
    const shown = await until(
      async () => {
        const page = await chat.call('GET', `/chat/session/${session.id}/messages`, { token: anna });
        const { messages } = JSON.parse(page.text);
        return messages.length > 3 ? messages.map(({ body }: { body: string }) => body) : undefined;
      },
      { ...LONG, what: 'the answer in the chat' },
    );
    expect([shown[0], shown.slice(1, -1).toSorted(), shown.at(-1)]).toEqual([
      'Есть лампа?',
      ['Да, есть.', 'Сколько штук?'],
      'Две, пожалуйста.',
    ]);
    expect(mailsTo('olga@mail.example')).toHaveLength(1);
  }, 120_000);

  it('[NTF3] gets the mail again, under the same id, if the server hangs up after the last byte, and it is counted', async () => {
    const before = await ambiguous();
    smtp.fail('hang_up', 1);
    const session = await begin({ email: 'twice@mail.example', locale: 'en' });
    await say(session, anna, 'Hello');
    await mailTo('twice@mail.example');
    await until(
      async () => {
        await sql`UPDATE mail SET next_attempt_at = clock_timestamp() WHERE address = 'twice@mail.example'`.execute(
          chat.database.kysely,
        );
        return mailsTo('twice@mail.example').length === 2;
      },
      { ...LONG, what: 'the second attempt' },
    );
    const ids = mailsTo('twice@mail.example').map((mail) => header(mail, 'Message-ID'));
    expect(ids[0]).toBe(ids[1]);
    await until(async () => (await ambiguous()) === before + 1, { ...LONG, what: 'the count' });
  }, 120_000);

  it('[NTF3] gets the mail later if the server is busy, and no more mail if the mailbox is unknown', async () => {
    smtp.fail('busy', 1);
    const session = await begin({ email: 'later@mail.example' });
    await say(session, anna, 'Первое');
    await until(
      async () => {
        await sql`UPDATE mail SET next_attempt_at = clock_timestamp() WHERE address = 'later@mail.example'`.execute(
          chat.database.kysely,
        );
        return mailsTo('later@mail.example').length === 1;
      },
      { ...LONG, what: 'the mail after a busy answer' },
    );
    smtp.fail('unknown_mailbox', 1);
    const gone = await begin({ email: 'gone@mail.example' });
    await say(gone, anna, 'Вы здесь?');
    const refused = async () =>
      (
        await chat.database.kysely
          .selectFrom('mail_refusal')
          .select('reason')
          .where('address', '=', 'gone@mail.example')
          .executeTakeFirst()
      )?.reason;
    await until(async () => (await refused()) === 'bounced', { ...LONG, what: 'the refusal' });
    const again = await begin({ email: 'gone@mail.example' });
    await say(again, anna, 'А теперь?');
    const other = await begin({ email: 'witness@mail.example' });
    await say(other, anna, 'Свидетель');
    await mailTo('witness@mail.example');
    expect(mailsTo('gone@mail.example')).toEqual([]);
  }, 120_000);

  it('[TG24] is sent mail while the Telegram bot is not running', async () => {
    const { kysely } = chat.database;
    const seen = (secondsAgo: number) =>
      sql`INSERT INTO telegram_bot (bot_id, username, seen_at)
        VALUES (77, 'shop_bot', clock_timestamp() - make_interval(secs => ${secondsAgo}::float8))
        ON CONFLICT (only_one) DO UPDATE SET seen_at = EXCLUDED.seen_at`.execute(kysely);
    let telegramUser = 700;
    const bind = (sessionId: number) =>
      sql`INSERT INTO customer_telegram (telegram_user_id, session_id)
        VALUES (${(telegramUser += 1)}::bigint, ${sessionId}::bigint)`.execute(kysely);
    await seen(600);
    const left = await begin({ email: 'left@mail.example' });
    await bind(left.id);
    await say(left, anna, 'Бот стоит');
    await mailTo('left@mail.example');
    await seen(0);
    const told = await begin({ email: 'told@mail.example' });
    await bind(told.id);
    await say(told, anna, 'Бот работает');
    const witness = await begin({ email: 'witness3@mail.example' });
    await say(witness, anna, 'Свидетель');
    await mailTo('witness3@mail.example');
    expect(mailsTo('told@mail.example')).toEqual([]);
    await sql`DELETE FROM telegram_bot`.execute(kysely);
  }, 120_000);

  it('[NTF2] is notified on their device at once, and by mail only after an hour', async () => {
    const session = await begin({ email: 'device@mail.example' });
    await chat.call('POST', `/chat/push/subscriptions?session=${session.id}`, {
      token: session.token,
      body: push.subscribe('customer'),
    });
    await say(session, anna, 'Секретный текст');
    await age(session.id, 15);
    const [told] = await until(() => (push.to('customer').length > 0 ? push.to('customer') : undefined), {
      ...LONG,
      what: 'a push',
    });
    expect(JSON.parse(told?.payload ?? '')).toMatchObject({ title: 'Вам ответили в чате', body: '' });
    expect(told?.payload).not.toContain('Секретный');
    const witness = await begin({ email: 'witness2@mail.example' });
    await say(witness, anna, 'Свидетель');
    await mailTo('witness2@mail.example');
    expect(mailsTo('device@mail.example')).toEqual([]);
    await age(session.id, 3_600);
    await mailTo('device@mail.example');
    expect(push.to('customer')).toHaveLength(1);
  }, 120_000);
});

describe('an operator who is away', () => {
  const choose = (token: string, settings: object) =>
    chat.call('PUT', '/chat/operators/me/notifications', { token, body: settings });
  const forgetDevices = () => chat.database.kysely.deleteFrom('push_subscription').execute();
  const addDevice = (token: string, name: string) =>
    chat.call('POST', '/chat/push/subscriptions', { token, body: push.subscribe(name) });

  it('[NTF2] is notified on their device of a waiting customer, without the text of the message', async () => {
    await addDevice(anna, 'anna');
    const session = await begin({ name: 'Ольга Тайная' });
    await say(session, session.token, 'Секретный вопрос');
    const told = await until(() => push.to('anna').find(({ payload }) => payload.includes('ждёт')), {
      ...LONG,
      what: 'a push',
    });
    expect(JSON.parse(told.payload)).toMatchObject({
      body: `Чат ${session.id}`,
      url: `/operator/#/inbox/all/${session.id}`,
    });
    expect(told.payload).not.toMatch(/Секретный|Тайная/);
  }, 120_000);

  it('[NTF2] is notified by mail if they want it, by one channel, and a colleague’s chat concerns nobody else', async () => {
    await choose(anna, { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' });
    await choose(boris, { push: [], mail: ['waiting'], email: 'boris@shop.example', locale: 'en' });
    await addDevice(anna, 'anna-2');
    const session = await begin();
    await say(session, session.token, 'Кто-нибудь?');
    const mail = await mailTo('boris@shop.example');
    const { subject, text = '', html } = await read(mail);
    expect(subject).toMatch(/^A customer is waiting/);
    expect(text).toContain(`https://chat.shop.example/operator/#/inbox/all/${session.id}`);
    expect(html).toContain('<html lang="en">');
    await until(() => push.to('anna-2').length > 0, { ...LONG, what: 'a push for anna' });
    expect(mailsTo('anna@shop.example')).toEqual([]);
  }, 120_000);

  it('[NTF2] is notified by mail if their only device turns out to be gone', async () => {
    await choose(anna, { push: ['waiting'], mail: ['waiting'], email: 'anna@shop.example' });
    await choose(boris, { push: [], mail: [] });
    await forgetDevices();
    const device = push.subscribe('anna-lost');
    await chat.call('POST', '/chat/push/subscriptions', { token: anna, body: device });
    push.unsubscribe(device.endpoint);
    const session = await begin();
    await say(session, session.token, 'Есть кто?');
    const { text = '' } = await read(await mailTo('anna@shop.example'));
    expect(text).toContain(`/operator/#/inbox/all/${session.id}`);
    expect(await chat.database.kysely.selectFrom('push_subscription').select('id').execute()).toEqual([]);
  }, 120_000);

  it('[MAIL5] is not sent a queued mail if the chat has been answered since', async () => {
    const session = await begin();
    await say(session, session.token, 'Вопрос');
    await say(session, anna, 'Ответ');
    const queued = await chat.database.kysely
      .insertInto('mail')
      .values({
        ...{ kind: 'alert', dedupe_key: randomUUID(), session_id: session.id, alert_id: null, user_id: 'anna' },
        ...{ reason: 'waiting', address: 'late@shop.example', locale: null, last_error: null },
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const outcome = () =>
      chat.database.kysely.selectFrom('mail').select('last_error').where('id', '=', queued.id).executeTakeFirst();
    await until(async () => (await outcome())?.last_error === 'not_needed', { ...LONG, what: 'the mail is dropped' });
    expect(mailsTo('late@shop.example')).toEqual([]);
  }, 120_000);

  it('[PUSH6] loses a device that no longer exists', async () => {
    const device = push.subscribe('gone');
    await chat.call('POST', '/chat/push/subscriptions', { token: anna, body: device });
    const test = async () =>
      JSON.parse(
        (await chat.call('POST', '/chat/push/test', { token: anna, body: { endpoint: device.endpoint } })).text,
      );
    expect(await test()).toEqual({ outcome: 'delivered' });
    push.answers.push(500);
    expect(await test()).toEqual({ outcome: 'failed' });
    push.unsubscribe(device.endpoint);
    expect(await test()).toEqual({ outcome: 'gone' });
    expect((await test()).error.code).toBe('not_found');
  }, 60_000);
});
