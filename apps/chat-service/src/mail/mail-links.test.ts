import { randomUUID } from 'node:crypto';
import { createSessionResponseSchema, mailReturnResponseSchema } from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest } from '../../test/chat-under-test.ts';
import { MailLinks } from './mail-links.ts';

let chat: ChatUnderTest;
let anna: string;
let links: MailLinks;
beforeAll(async () => {
  chat = await ChatUnderTest.start({ MAIL_FROM: 'Shop <support@shop.example>' });
  anna = await chat.staff('anna');
  links = new MailLinks(chat.database, CHANNEL_SECRET);
});
afterAll(() => chat.stop());

const begin = async () => {
  const { session } = (await chat.call('POST', '/chat/session', { body: {} })).as(createSessionResponseSchema);
  return { id: session.id };
};

describe('the links of a mail', () => {
  it('[MAIL6] the link back opens one chat, once', async () => {
    const session = await begin();
    const code = await links.newCode(session.id);
    const back = (text: unknown, ip = '192.0.2.7') =>
      chat.call('POST', '/chat/mail/return', { body: { code: text }, ip });
    const answer = await back(code);
    const opened = answer.as(mailReturnResponseSchema);
    expect([opened.session.id, answer.headers['cache-control']]).toEqual([session.id, 'no-store']);
    const said = await chat.call('POST', `/chat/session/${session.id}/messages`, {
      token: opened.token,
      body: { body: 'Я здесь', client_message_id: randomUUID() },
    });
    expect(said.status).toBe(201);
    expect((await back(code)).code).toBe('bad_credentials');
    expect(JSON.stringify(await chat.database.kysely.selectFrom('mail_link').selectAll().execute())).not.toContain(
      code,
    );
    for (const bad of ['', 5, undefined, 'x'.repeat(101)]) expect((await back(bad)).code).toBe('validation_failed');
    const late = await links.newCode(session.id);
    await chat.database.kysely
      .updateTable('mail_link')
      .set({ expires_at: new Date(Date.now() - 1) })
      .execute();
    expect((await back(late)).code).toBe('bad_credentials');
  });

  it('[MAIL6] open no chat of a signed-in customer, none after a revocation, and none by guessing', async () => {
    const session = await begin();
    const [first, second] = [await links.newCode(session.id), await links.newCode(session.id)];
    const back = async (code: string, ip: string) =>
      (await chat.call('POST', '/chat/mail/return', { body: { code }, ip })).code;
    await chat.database.kysely
      .updateTable('chat_session')
      .set({ customer_id: 'c1' })
      .where('id', '=', session.id)
      .execute();
    expect(await back(first, '192.0.2.8')).toBe('bad_credentials');
    await chat.call('POST', `/chat/session/${session.id}/revoke`, { token: anna });
    expect(await back(second, '192.0.2.8')).toBe('bad_credentials');
    for (let n = 0; n < 10; n += 1) expect(await back(`guess-${n}`, '192.0.2.9')).toBe('bad_credentials');
    const other = await begin();
    expect(await back(await links.newCode(other.id), '192.0.2.9')).toBe('rate_limited');
    expect(await back(await links.newCode(other.id), '192.0.2.10')).toBeUndefined();
  });

  it('[MAIL7] the unsubscribe link asks first, and ends mail when it is confirmed', async () => {
    const session = await begin();
    const { id } = await chat.database.kysely
      .insertInto('mail')
      .values({
        kind: 'reply',
        dedupe_key: randomUUID(),
        session_id: session.id,
        alert_id: null,
        user_id: null,
        address: 'tired@mail.example',
        locale: null,
        last_error: null,
      })
      .returning('id')
      .executeTakeFirstOrThrow();
    const path = `/chat/mail/unsubscribe?sig=${links.unsubscribeToken(id)}`;
    const isRefused = async () =>
      (
        await chat.database.kysely
          .selectFrom('mail_refusal')
          .select('address')
          .where('address', '=', 'tired@mail.example')
          .execute()
      ).length;
    const asked = await chat.call('GET', path);
    expect([asked.status, asked.headers['content-type'], await isRefused()]).toEqual([
      200,
      'text/html; charset=utf-8',
      0,
    ]);
    expect((await chat.call('POST', `/chat/mail/unsubscribe?sig=${id + 1}${path.slice(path.indexOf('.'))}`)).code).toBe(
      'bad_token',
    );
    expect((await chat.call('POST', '/chat/mail/unsubscribe')).code).toBe('missing_credentials');
    const form = {
      raw: 'List-Unsubscribe=One-Click',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    };
    expect([(await chat.call('POST', path, form)).status, await isRefused()]).toEqual([200, 1]);
    expect((await chat.call('POST', path, form)).status).toBe(200);
  });
});
