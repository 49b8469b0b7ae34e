import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  attachmentResponseSchema,
  auditResponseSchema,
  banResponseSchema,
  createSessionResponseSchema,
  customerExportSchema,
  eraseResponseSchema,
  sessionExportSchema,
  staffSessionSchema,
} from '@chat-realtime/protocol';
import { strFromU8, unzipSync } from 'fflate';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { type ZipEntry, zipOf } from './zip.ts';

let folder: string;
let chat: ChatUnderTest;
let anna: string;
let admin: string;

describe('a person on postgres', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'person-'));
    chat = await ChatUnderTest.start({}, folder);
    [anna, admin] = await Promise.all([chat.staff('anna'), chat.staff('root', { role: 'admin' })]);
  });
  afterAll(async () => {
    await chat.stop();
    await rm(folder, { recursive: true });
  });

  /** A chat with a message, a file and, with `customer`, a signed-in customer. */
  async function begin(word: string, customer?: string) {
    const answer = await chat.call('POST', '/chat/session', { body: { name: word }, ip: '203.0.113.60' });
    const { session, token } = answer.as(createSessionResponseSchema);
    const path = `/chat/session/${session.id}`;
    const upload = await chat.call('POST', `${path}/attachments`, {
      token,
      raw: Buffer.from(`bytes of ${word}`),
      headers: { 'x-file-name': encodeURIComponent('счёт.txt') },
    });
    const file = upload.as(attachmentResponseSchema).id;
    const body = { body: word, client_message_id: randomUUID(), attachments: [file] };
    expect((await chat.call('POST', `${path}/messages`, { token, body })).status).toBe(201);
    if (customer !== undefined) {
      const identify = { identity_token: await chat.identity(customer), session_id: session.id, token };
      expect((await chat.call('POST', '/chat/identity', { body: identify })).status).toBe(200);
    }
    return { id: session.id, path, token, file };
  }
  const exported = (path: string, query = '', token = admin) => chat.call('GET', `${path}/export${query}`, { token });
  async function archive(path: string, query = '?format=zip') {
    const answer = await exported(path, query);
    expect([answer.status, answer.headers['content-type'], answer.headers['cache-control']]).toEqual([
      200,
      'application/zip',
      'no-store',
    ]);
    const entries = unzipSync(answer.bytes);
    return Object.fromEntries(Object.entries(entries).map(([name, bytes]) => [name, strFromU8(bytes)]));
  }
  const erase = (path: string, body: object, token = admin) => chat.call('POST', `${path}/erase`, { token, body });
  const log = async () =>
    (await chat.call('GET', '/chat/audit?limit=4', { token: admin }))
      .as(auditResponseSchema)
      .entries.map(({ action, subject, details }) => `${action} ${subject} ${String(details['scope'] ?? '')}`);

  it('[EXP2] an archive contains the document and each sent file, byte for byte', async () => {
    const one = await begin('alpha');
    await chat.call('POST', `${one.path}/attachments`, {
      token: one.token,
      raw: 'unsent',
      headers: { 'x-file-name': 'u' },
    });
    const files = await archive(one.path);
    expect(Object.keys(files)).toEqual(['chat.json', `files/${one.file}-счёт.txt`]);
    expect(files[`files/${one.file}-счёт.txt`]).toBe('bytes of alpha');
    const document = sessionExportSchema.parse(JSON.parse(files['chat.json'] ?? ''));
    expect(document.messages[0]?.attachments[0]?.id).toBe(one.file);
    expect(document.messages.map(({ body }) => body)).toEqual(['alpha']);
    // Files whose bytes are lost are listed.
    await rm(join(folder, 'attachments', one.file.slice(0, 2), one.file));
    const rest = await archive(one.path);
    expect(Object.keys(rest)).toEqual(['chat.json', 'missing.json']);
    expect(JSON.parse(rest['missing.json'] ?? '')).toEqual([`files/${one.file}-счёт.txt`]);
    await erase(one.path, {});
    expect(Object.keys(await archive(one.path))).toEqual(['chat.json']);
  });

  it('[EXP2] what does not fit into an archive is 413, and bad input 422, before anything is logged', async () => {
    const one = await begin('beta');
    const before = await log();
    for (const name of ['b', 'c'])
      await chat.call('POST', `${one.path}/attachments`, {
        token: one.token,
        raw: 'x',
        headers: { 'x-file-name': name },
      });
    await sql`UPDATE chat_attachment a SET size = 2000000000, event_id = s.event_id FROM chat_attachment s
      WHERE s.id = ${one.file} AND a.session_id = s.session_id`.execute(chat.database.kysely);
    expect((await exported(one.path, '?format=zip')).code).toBe('payload_too_large');
    expect((await exported(one.path, '?format=tar')).code).toBe('validation_failed');
    expect((await exported(one.path, '?scope=everybody')).code).toBe('validation_failed');
    expect((await erase(one.path, { scope: 'everybody' })).code).toBe('validation_failed');
    expect(await log()).toEqual(before);
    expect((await exported(one.path)).status).toBe(200);
  });

  it('[EXP3] [ERA6] all chats of a customer, and of nobody else, are exported and erased, and each is logged', async () => {
    const [one, two, stranger] = [
      await begin('first', 'c-1'),
      await begin('second', 'c-1'),
      await begin('other', 'c-2'),
    ];
    const both = (await exported(two.path, '?scope=customer')).as(customerExportSchema);
    expect(both.customer_id).toBe('c-1');
    expect(both.sessions.map(({ session, messages }) => [session.id, messages[0]?.body])).toEqual([
      [one.id, 'first'],
      [two.id, 'second'],
    ]);
    const files = await archive(one.path, '?format=zip&scope=customer');
    expect(Object.keys(files)).toEqual(
      [one, two].flatMap(({ id, file }) => [`chat-${id}/chat.json`, `chat-${id}/files/${file}-счёт.txt`]),
    );
    expect(await log()).toEqual([two, one, two, one].map(({ id }) => `session.exported session:${id} customer`));
    const answer = (await erase(one.path, { scope: 'customer' })).as(eraseResponseSchema);
    expect([answer.session.id, answer.erased_sessions]).toEqual([one.id, 2]);
    for (const { path } of [one, two]) {
      expect((await exported(path)).text).not.toMatch(/first|second/);
      const row = (await chat.call('GET', path, { token: anna })).as(staffSessionSchema);
      expect(row.contact.name).toBeNull();
    }
    expect((await exported(stranger.path)).text).toContain('other');
    const erased = (await chat.call('GET', '/chat/audit?limit=20', { token: admin })).as(auditResponseSchema).entries;
    expect(erased.filter(({ action }) => action === 'session.erased').slice(0, 2)).toMatchObject([
      { subject: `session:${two.id}`, details: { scope: 'customer' } },
      { subject: `session:${one.id}`, details: { scope: 'customer' } },
    ]);
  });

  it('[EXP3] [ERA6] a guest is no customer, and an admin who may not see all chats cannot erase a person in part', async () => {
    const guest = await begin('guest');
    const theirs = await begin('gamma', 'c-3');
    const narrow = await chat.staff('narrow', { role: 'admin', scope: 'assigned' });
    for (const [path, token, code] of [
      [guest.path, admin, 'validation_failed'],
      [theirs.path, narrow, 'forbidden'],
      [theirs.path, anna, 'forbidden'],
    ] as const) {
      expect((await exported(path, '?scope=customer', token)).code).toBe(code);
      expect((await erase(path, { scope: 'customer' }, token)).code).toBe(code);
    }
    expect((await exported(theirs.path)).text).toContain('gamma');
    expect((await erase(theirs.path, {}, narrow)).as(eraseResponseSchema).erased_sessions).toBe(1);
  });

  it('[EXP1] [ERA1] ways to reach them, read marks, alerts and bans are exported, and erased with the chat', async () => {
    const one = await begin('delta', 'c-4');
    const other = await begin('epsilon', 'c-4');
    const ban = { session_id: one.id, by: 'customer', reason: 'rude words of delta' };
    await chat.call('POST', '/chat/bans', { token: anna, body: ban });
    const at = { session_id: one.id };
    await chat.database.kysely
      .insertInto('customer_telegram')
      .values({ ...at, telegram_user_id: 88_001 })
      .execute();
    const device = {
      endpoint_hash: 'x',
      endpoint: 'https://push.example/x',
      p256dh: 'p',
      auth: 'a',
      device: 'Firefox',
    };
    await chat.database.kysely
      .insertInto('push_subscription')
      .values({ ...at, ...device })
      .execute();
    const mail = { kind: 'reply', dedupe_key: 'person', address: 'd@mail.example' } as const;
    await chat.database.kysely
      .insertInto('mail')
      .values({ ...at, ...mail })
      .execute();
    await chat.database.kysely
      .insertInto('chat_alert')
      .values({ ...at, reason: 'waiting', dedupe_key: 'person', data: '{}' })
      .execute();
    await chat.call('POST', `${one.path}/read`, { token: one.token, body: { last_id: 1_000_000 } });
    const document = (await exported(one.path)).as(sessionExportSchema);
    expect(document).toMatchObject({
      address: { address: '192.0.2.1' },
      telegram: { telegram_user_id: 88_001, blocked_at: null },
      devices: [{ endpoint: 'https://push.example/x', device: 'Firefox' }],
      mails: [{ kind: 'reply', address: 'd@mail.example', sent_at: null }],
      bans: [{ by: 'customer', customer_id: 'c-4', reason: 'rude words of delta' }],
      alerts: [{ reason: 'waiting' }],
    });
    expect(document.read?.read_id).toBe(document.messages[0]?.id);
    // The ban applies to the person, so their other chat contains it too.
    expect((await exported(other.path)).as(sessionExportSchema).bans).toHaveLength(1);
    await erase(one.path, {});
    const after = (await exported(one.path)).as(sessionExportSchema);
    expect(after).toMatchObject({ address: null, telegram: null, devices: [], mails: [], bans: [{ reason: null }] });
    // It remains in effect; data about the person is deleted when it ends.
    const again = await chat.call('POST', '/chat/bans', { token: anna, body: { session_id: one.id, by: 'customer' } });
    expect([again.status, again.as(banResponseSchema).ban.customer_id]).toEqual([200, 'c-4']);
  });
});

describe('an archive', () => {
  const part = async function* (...texts: string[]) {
    yield* texts;
  };
  const read = async (entries: AsyncIterable<ZipEntry>, max?: { bytes: number; entries: number }) => {
    const parts: Uint8Array[] = [];
    for await (const chunk of zipOf(entries, max)) parts.push(chunk);
    return unzipSync(Buffer.concat(parts));
  };

  it('[EXP2] is built while it is read: no file is opened before the previous one was sent', async () => {
    const opened: string[] = [];
    const content = async function* (name: string) {
      opened.push(name);
      for (let n = 0; n < 100; n += 1) yield Buffer.alloc(64 * 1024, name);
    };
    const entries = async function* (): AsyncGenerator<ZipEntry> {
      for (const name of ['a', 'b']) yield { name, content: content(name) };
    };
    let bytes = 0;
    for await (const chunk of zipOf(entries())) {
      bytes += chunk.length;
      if (bytes < 50 * 64 * 1024) expect(opened).toEqual(['a']);
      expect(chunk.length).toBeLessThan(128 * 1024);
    }
    expect(bytes).toBeGreaterThan(200 * 64 * 1024);
  });

  it('[EXP2] is broken off if its numbers would overflow, or a file cannot be read', async () => {
    const many = async function* (): AsyncGenerator<ZipEntry> {
      for (let n = 0; n < 10; n += 1) yield { name: `${n}`, content: part('0123456789') };
    };
    expect(Object.keys(await read(many(), { bytes: 2_000, entries: 10 }))).toHaveLength(10);
    for (const max of [
      { bytes: 2_000, entries: 9 },
      { bytes: 500, entries: 10 },
    ])
      await expect(read(many(), max)).rejects.toMatchObject({ code: 'zip_too_large' });
    const broken = async function* (): AsyncGenerator<ZipEntry> {
      yield {
        name: 'a',
        content: (async function* () {
          yield 'begin';
          throw new Error('the disk is gone');
        })(),
      };
    };
    await expect(read(broken())).rejects.toThrow('the disk is gone');
    const two = async function* (): AsyncGenerator<ZipEntry> {
      yield { name: 'ä/ö.txt', content: part('one ', 'two') };
      yield { name: 'empty', content: part() };
    };
    const entries = await read(two());
    expect(Object.keys(entries)).toEqual(['ä/ö.txt', 'empty']);
    expect(strFromU8(entries['ä/ö.txt'] ?? new Uint8Array())).toBe('one two');
  });
});
