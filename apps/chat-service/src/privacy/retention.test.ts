import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attachmentResponseSchema,
  auditResponseSchema,
  createSessionResponseSchema,
  eventsResponseSchema,
  messagesResponseSchema,
  staffSessionSchema,
} from '@chat-realtime/protocol';
import { createMetrics } from '@chat-realtime/service-kit';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { Eraser } from './eraser.ts';
import { type RetentionDays, retentionSweep } from './retention.ts';

const OLD = new Date(Date.now() - 40 * 86_400_000);
const FOR_EVER: RetentionDays = { messages: 0, files: 0, contacts: 0, callbacks: 0 };
let folder: string;
let chat: ChatUnderTest;
let anna: string;
let admin: string;

describe('retention on postgres', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'retention-'));
    chat = await ChatUnderTest.start({}, folder);
    [anna, admin] = await Promise.all([chat.staff('anna'), chat.staff('root', { role: 'admin' })]);
  });
  afterAll(async () => {
    await chat.stop();
    await rm(folder, { recursive: true });
  });

  const metrics = createMetrics('retention-test');
  const failures = async () =>
    [...(await metrics.collect()).matchAll(/chat_retention_failures_total\{part="(\w+)"\} (\d+)/gu)].map(
      ([, part, count]) => `${part} ${count}`,
    );
  /** A retention run as the leader has it: it remembers where it ended. */
  const sweep = (days: Partial<RetentionDays>, over?: typeof metrics) =>
    retentionSweep(
      new Eraser(chat.database, chat.context, chat.chat.attachments),
      chat.chat.attachments,
      () => ({ ...FOR_EVER, ...days }),
      over,
    );
  const log = async () =>
    (await chat.call('GET', '/chat/audit', { token: admin }))
      .as(auditResponseSchema)
      .entries.filter(({ action }) => action === 'retention.erased');

  async function oldChat(body: object = {}) {
    const answer = await chat.call('POST', '/chat/session', { body });
    const { session, token } = answer.as(createSessionResponseSchema);
    const path = `/chat/session/${session.id}`;
    const upload = await chat.call('POST', `${path}/attachments`, {
      token,
      raw: Buffer.from('bytes'),
      headers: { 'x-file-name': 'bill.txt' },
    });
    const file = upload.as(attachmentResponseSchema).id;
    const message = { body: 'old', client_message_id: randomUUID(), attachments: [file] };
    expect((await chat.call('POST', `${path}/messages`, { token, body: message })).status).toBe(201);
    return { id: session.id, path, token, file };
  }
  async function age(...ids: number[]) {
    await chat.database.kysely
      .updateTable('chat_event')
      .set({ created_at: OLD })
      .where('session_id', 'in', ids)
      .execute();
    await chat.database.kysely
      .updateTable('chat_session')
      .set({ created_at: OLD, updated_at: OLD })
      .where('id', 'in', ids)
      .execute();
  }
  const bodies = async (path: string) =>
    (await chat.call('GET', `${path}/messages`, { token: anna }))
      .as(messagesResponseSchema)
      .messages.map(({ body }) => body);

  it('[RET3] a chat or file that cannot be erased delays no other, and is tried again', async () => {
    const [bad, good] = [await oldChat(), await oldChat()];
    const [worse, better] = [bad.file, good.file].map((id) => join(folder, 'attachments', id.slice(0, 2), id));
    await age(bad.id, good.id);
    await sql`CREATE FUNCTION refuse_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'this row cannot be written'; END $$`.execute(chat.database.kysely);
    await sql`CREATE TRIGGER refuse_erasing BEFORE UPDATE OF body ON chat_event FOR EACH ROW
      WHEN (OLD.session_id = ${sql.lit(bad.id)}) EXECUTE FUNCTION refuse_erasing()`.execute(chat.database.kysely);
    // In place of the first chat's file there is something that is not a file.
    await rm(worse ?? '');
    await mkdir(worse ?? '');
    const retention = sweep({ messages: 30, files: 30 }, metrics);
    await expect(retention.run()).rejects.toMatchObject({ code: 'retention_incomplete' });
    expect([await bodies(bad.path), await bodies(good.path)]).toEqual([['old'], ['']]);
    const kept = async () =>
      (await chat.database.kysely.selectFrom('chat_attachment').select('id').execute()).map(({ id }) => id);
    expect(await kept()).toEqual([bad.file]);
    expect((await failures()).sort()).toEqual(['callbacks 0', 'file 1', 'session 1']);
    expect((await log())[0]).toMatchObject({ actor_id: 'system', details: { messages: 1, files: 2 } });
    await sql`DROP TRIGGER refuse_erasing ON chat_event`.execute(chat.database.kysely);
    await rm(worse ?? '', { recursive: true });
    await retention.run();
    expect([await bodies(bad.path), await kept()]).toEqual([[''], []]);
    expect((await log())[0]?.details).toEqual({ messages: 1 });
    const entries = (await log()).length;
    await retention.run();
    expect(await log()).toHaveLength(entries);
    expect(better).not.toBe(worse);
  });

  it('[ERA1] [ERA3] a file that cannot be removed does not fail the erasure: it is served to nobody', async () => {
    const one = await oldChat();
    const path = join(folder, 'attachments', one.file.slice(0, 2), one.file);
    await rm(path);
    await mkdir(path);
    const answer = await chat.call('POST', `${one.path}/erase`, { token: admin, body: {} });
    expect(answer.status).toBe(200);
    await rm(path, { recursive: true });
    await sweep({}).run();
    expect(await chat.database.kysely.selectFrom('chat_attachment').select('id').execute()).toEqual([]);
  });

  it('[RET1] [RET2] a customer with only a contact, a language or an address is erased too, once', async () => {
    const user = { id: 77_001, name: 'Т' };
    const of = (id: number) => ({ session_id: id });
    const hours = new Date(Date.now() + 3_600_000);
    const places: Record<string, (id: number) => Promise<unknown>> = {
      locale: (id) =>
        chat.database.kysely.updateTable('chat_session').set({ locale: 'ru' }).where('id', '=', id).execute(),
      address: (id) =>
        chat.database.kysely
          .insertInto('chat_client_address')
          .values({ ...of(id), address: '203.0.113.9' })
          .execute(),
      telegram: (id) =>
        chat.database.kysely
          .insertInto('customer_telegram')
          .values({ ...of(id), telegram_user_id: user.id })
          .execute(),
      push: (id) =>
        chat.database.kysely
          .insertInto('push_subscription')
          .values({ ...of(id), endpoint_hash: 'h', endpoint: 'https://push.example/x', p256dh: 'p', auth: 'a' })
          .execute(),
      link: (id) =>
        chat.database.kysely
          .insertInto('mail_link')
          .values({ ...of(id), hash: 'h', expires_at: hours })
          .execute(),
      mail: (id) =>
        chat.database.kysely
          .insertInto('mail')
          .values({ ...of(id), kind: 'transcript', dedupe_key: `d${id}`, address: 'm@example.org' })
          .execute(),
      // Staff were notified when the chat began; an operator has removed the contact since.
      told: (id) =>
        sql`UPDATE chat_event SET staff_data = '{"contact":{"name":"М","email":null,"phone":null}}'
          WHERE session_id = ${id}::bigint AND seq = 1`.execute(chat.database.kysely),
    };
    const empty = async () => {
      const row = await chat.database.kysely
        .insertInto('chat_session')
        .values({ attributes: '{}' })
        .returning('id')
        .executeTakeFirstOrThrow();
      await chat.database.kysely
        .insertInto('chat_event')
        .values({
          session_id: row.id,
          seq: 1,
          type: 'chat.session.created',
          created_at: OLD,
          actor_id: null,
          actor_name: null,
          sender_type: null,
          body: null,
          client_message_id: null,
          client_msgs: null,
          assigned_user_id: null,
          previous_user_id: null,
          message_id: null,
          data: '{}',
          staff_data: '{"contact":{"name":null,"email":null,"phone":null}}',
        })
        .execute();
      await chat.database.kysely.updateTable('chat_session').set({ last_seq: 1 }).where('id', '=', row.id).execute();
      return row.id;
    };
    const told = async (id: number) =>
      (await chat.call('GET', `/chat/session/${id}/events?after_seq=1`, { token: anna })).as(eventsResponseSchema)
        .events.length;
    const nobody = await empty();
    await age(nobody);
    await sweep({ contacts: 30 }).run();
    expect(await told(nobody)).toBe(0);
    const ids: number[] = [];
    for (const fill of Object.values(places)) {
      const id = await empty();
      await fill(id);
      ids.push(id);
    }
    await age(...ids);
    await sweep({ contacts: 30 }).run();
    const toldOf: Record<string, number> = {};
    for (const [index, name] of Object.keys(places).entries()) toldOf[name] = await told(ids[index] ?? 0);
    expect(toldOf).toEqual(Object.fromEntries(Object.keys(places).map((name) => [name, 1])));
    for (const table of ['chat_client_address', 'customer_telegram', 'push_subscription', 'mail_link', 'mail'] as const)
      expect(
        await chat.database.kysely.selectFrom(table).select('session_id').where('session_id', 'in', ids).execute(),
      ).toEqual([]);
    const first = (await chat.call('GET', `/chat/session/${ids[0]}`, { token: anna })).as(staffSessionSchema);
    expect(first.locale).toBeNull();
    expect((await log())[0]?.details).toEqual({ contacts: ids.length });
    await sweep({ contacts: 30 }).run();
    for (const id of ids) expect(await told(id)).toBe(1);
  });
});
