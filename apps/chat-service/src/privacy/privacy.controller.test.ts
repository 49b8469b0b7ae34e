import { randomUUID } from 'node:crypto';
import {
  attachmentResponseSchema,
  auditResponseSchema,
  callbacksResponseSchema,
  createSessionResponseSchema,
  eventsResponseSchema,
  feedResponseSchema,
  messagesResponseSchema,
  notesResponseSchema,
  postMessageResponseSchema,
  sessionExportSchema,
  sessionListResponseSchema,
  sessionResponseSchema,
  staffSessionSchema,
} from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';
import { Eraser } from './eraser.ts';
import { retentionSweep } from './retention.ts';

const SECRET = 'слово-которое-исчезает';
const DAY_MS = 86_400_000;
let chat: ChatUnderTest;
let anna: string;
let admin: string;

describe('privacy on postgres', () => {
  beforeAll(async () => {
    const field = { name: 'city', kind: 'text', label: { ru: 'Город' }, required: true };
    chat = await ChatUnderTest.start({ CHAT_WIDGET: JSON.stringify({ custom_fields: [field] }) });
    [anna, admin] = await Promise.all([chat.staff('anna'), chat.staff('root', { role: 'admin' })]);
  });
  afterAll(() => chat.stop());

  const get = (url: string, token: string) => chat.call('GET', url, { token });
  const send = (url: string, token: string, body: object) => chat.call('POST', url, { token, body });

  /** A chat in which every field contains the secret word. */
  async function tell() {
    const body = {
      name: SECRET,
      email: 'secret-mail@example.com',
      phone: '+79161234567',
      page_url: 'https://shop.example/secret-page',
      attributes: { order: 'secret-order' },
      answers: { city: 'secret-city Орёл' },
      consent: { version: '2026-01', accepted: true },
    };
    const answer = await chat.call('POST', '/chat/session', { body, ip: '203.0.113.77' });
    const { session, token } = answer.as(createSessionResponseSchema);
    const path = `/chat/session/${session.id}`;
    const upload = await chat.call('POST', `${path}/attachments`, {
      token,
      raw: Buffer.from(SECRET),
      headers: { 'x-file-name': 'secret-file.txt' },
    });
    const file = upload.as(attachmentResponseSchema);
    const key = randomUUID();
    const posted = await send(`${path}/messages`, token, {
      body: SECRET,
      client_message_id: key,
      attachments: [file.id],
    });
    const { message } = posted.as(postMessageResponseSchema);
    await send(`${path}/notes`, anna, { body: SECRET });
    await send('/chat/callback', token, {
      phone: '+79161234567',
      name: SECRET,
      comment: SECRET,
      consent: true,
      session_id: session.id,
    });
    return { id: session.id, token, path, key, file, message };
  }
  const erase = (id: number, token = admin) => send(`/chat/session/${id}/erase`, token, {});
  const events = async (path: string, token: string) =>
    (await get(`${path}/events`, token)).as(eventsResponseSchema).events;

  it('[ERA1] [ERA2] removes what was written and who wrote it; rows, numbers and the consent stay', async () => {
    const one = await tell();
    const before = await events(one.path, one.token);
    const answer = await erase(one.id);
    expect(answer.status).toBe(200);
    expect(answer.as(sessionResponseSchema).session.callback_pending).toBe(false);
    const after = await events(one.path, one.token);
    expect(after.map(({ seq }) => seq)).toEqual(after.map((_, index) => index + 1));
    expect(after.slice(0, before.length).map(({ type }) => type)).toEqual(before.map(({ type }) => type));
    expect(after.at(-1)).toMatchObject({
      type: 'chat.erased',
      data: { scope: 'session', through_id: one.message.id, kinds: ['messages', 'files', 'contacts', 'callbacks'] },
    });
    await chat.stamp();
    const everything = await Promise.all([
      get(`${one.path}/messages`, one.token),
      get(`${one.path}/events`, anna),
      get(one.path, anna),
      get(`${one.path}/notes`, anna),
      get('/chat/feed?limit=500', anna),
      get('/chat/callbacks', anna),
      get('/chat/sessions', anna),
      get('/chat/alerts', anna),
      get(`${one.path}/export`, admin),
    ]);
    for (const { status, text } of everything) {
      expect(status).toBe(200);
      expect(text).not.toMatch(new RegExp(`${SECRET}|secret-|79161234567|192\\.0\\.2\\.1`));
    }
    const [messages, , session, notes, , callbacks] = everything;
    expect(messages.as(messagesResponseSchema).messages).toMatchObject([
      { id: one.message.id, body: '', attachments: [] },
    ]);
    expect(notes.as(notesResponseSchema).notes).toMatchObject([{ body: '' }]);
    expect(session.as(staffSessionSchema).contact).toEqual({ name: null, email: null, phone: null });
    const callback = callbacks.as(callbacksResponseSchema).callbacks.find(({ session_id }) => session_id === one.id);
    expect(callback).toMatchObject({ phone: '', name: null, comment: null, status: 'cancelled' });
    const exported = everything[8]?.as(sessionExportSchema);
    expect(exported?.consent?.given).toEqual({ version: '2026-01', accepted: true });
  });

  it('[ERA1] [CB3] cancels an unanswered callback request, and publishes nothing for one that was over before', async () => {
    const one = await tell();
    const listed = async () => {
      const { callbacks } = (await get('/chat/callbacks?limit=500', anna)).as(callbacksResponseSchema);
      return callbacks.filter(({ session_id }) => session_id === one.id).map(({ id, status }) => ({ id, status }));
    };
    const [first] = await listed();
    const body = { phone: '+79161234567', consent: true, session_id: one.id };
    await send('/chat/callback', one.token, body);
    const step = (id: number | undefined, status: string) =>
      chat.call('PATCH', `/chat/callbacks/${id}`, { token: anna, body: { status } });
    const [second] = await listed();
    await step(second?.id, 'cancelled');
    await step(first?.id, 'calling');
    await step(first?.id, 'no_answer');
    const before = (await events(one.path, one.token)).length;
    const erased = (await erase(one.id)).as(sessionResponseSchema);
    expect(erased.session.callback_pending).toBe(false);
    expect((await listed()).map(({ status }) => status)).toEqual(['cancelled', 'cancelled']);
    const calls = (await events(one.path, one.token)).slice(before).filter(({ type }) => type === 'chat.callback');
    expect(calls.map(({ data }) => data)).toEqual([
      { id: first?.id, status: 'cancelled', preferred_at: null, callback_pending: false },
    ]);
  });

  it('[SET10] [ERA1] [RET1] answers to a site’s questions are searchable, shown only with the chat, and erased with the contact', async () => {
    const found = async () => {
      await chat.stamp();
      const answer = await get(`/chat/sessions?q=${encodeURIComponent('secret-city орел')}`, anna);
      return answer.as(sessionListResponseSchema).sessions;
    };
    const one = await tell();
    const answers = async () => (await get(one.path, anna)).as(staffSessionSchema).answers;
    expect((await found())[0]).toMatchObject({ id: one.id });
    expect((await found())[0]).not.toHaveProperty('answers');
    expect(await answers()).toMatchObject([{ name: 'city', value: 'secret-city Орёл' }]);
    // For a customer without a contact, only the answers make the retention run find them.
    await chat.database.kysely
      .updateTable('chat_session')
      .set({ name: null, email: null, phone: null, page_url: null, attributes: '{}', updated_at: new Date(1) })
      .where('id', '=', one.id)
      .execute();
    const eraser = new Eraser(chat.database, chat.context, chat.chat.attachments);
    const days = { messages: 0, files: 0, contacts: 30, callbacks: 0 };
    await retentionSweep(eraser, chat.chat.attachments, () => days).run();
    expect(await answers()).toEqual([]);
    expect((await found()).map(({ id }) => id)).not.toContain(one.id);
    const other = await tell();
    await erase(other.id);
    expect((await found()).map(({ id }) => id)).not.toContain(other.id);
  });

  it('[ERA3] the bytes of the files are deleted, and their old addresses are invalid', async () => {
    const one = await tell();
    const address = one.message.attachments[0]?.url ?? '';
    expect((await chat.call('GET', address)).status).toBe(200);
    await erase(one.id);
    expect((await chat.call('GET', address)).code).toBe('not_found');
    const left = await chat.database.kysely
      .selectFrom('chat_attachment')
      .selectAll()
      .where('session_id', '=', one.id)
      .execute();
    expect(left).toEqual([]);
  });

  it('[ERA4] a repeated post is recognised by the stored hash; another text under its id is not', async () => {
    const one = await tell();
    await erase(one.id);
    const again = { body: SECRET, client_message_id: one.key, attachments: [one.file.id] };
    const known = await send(`${one.path}/messages`, one.token, again);
    expect(known.status).toBe(200);
    expect(known.as(postMessageResponseSchema).message).toMatchObject({ id: one.message.id, body: '' });
    const other = await send(`${one.path}/messages`, one.token, { ...again, body: 'other' });
    expect(other.code).toBe('idempotency_conflict');
    const bare = await send(`${one.path}/messages`, one.token, { body: SECRET, client_message_id: one.key });
    expect(bare.code).toBe('idempotency_conflict');
    // The chat continues.
    const next = await send(`${one.path}/messages`, one.token, { body: 'new', client_message_id: randomUUID() });
    expect(next.status).toBe(201);
  });

  it('[ERA1] a chat longer than one batch is erased completely, with one event', async () => {
    const one = await tell();
    await chat.database.kysely
      .insertInto('chat_event')
      .columns(['session_id', 'seq', 'type', 'sender_type', 'body', 'client_message_id'])
      .expression((eb) =>
        eb
          .selectFrom(eb.fn<{ n: number }>('generate_series', [eb.lit(1_000), eb.lit(2_200)]).as('n'))
          .select((s) => [
            s.val(one.id).as('session_id'),
            s.ref('n').as('seq'),
            s.val('chat.message').as('type'),
            s.val('client').as('sender_type'),
            s.val(SECRET).as('body'),
            s.cast<string>(s.ref('n'), 'text').as('client_message_id'),
          ]),
      )
      .execute();
    await chat.database.kysely.updateTable('chat_session').set({ last_seq: 2_200 }).where('id', '=', one.id).execute();
    expect((await erase(one.id)).status).toBe(200);
    const rows = await chat.database.kysely
      .selectFrom('chat_event')
      .select(['type', 'body'])
      .where('session_id', '=', one.id)
      .execute();
    expect(rows.filter(({ body }) => (body ?? '') !== '')).toEqual([]);
    expect(rows.filter(({ type }) => type === 'chat.erased')).toHaveLength(1);
  });

  it('[ERA1] [EXP1] only admins export and erase, and both are logged', async () => {
    const one = await tell();
    expect((await erase(one.id, anna)).code).toBe('forbidden');
    expect((await get(`${one.path}/export`, anna)).code).toBe('forbidden');
    expect((await erase(999_999)).code).toBe('session_not_found');
    expect((await get('/chat/session/999999/export', admin)).code).toBe('session_not_found');
    const answer = await get(`${one.path}/export`, admin);
    const exported = answer.as(sessionExportSchema);
    expect(exported.messages.map(({ body }) => body)).toEqual([SECRET]);
    expect(exported.notes.map(({ body }) => body)).toEqual([SECRET]);
    expect(exported).toMatchObject({
      address: { address: '192.0.2.1' },
      session: {
        attributes: { order: 'secret-order' },
        answers: [{ name: 'city', kind: 'text', label: { ru: 'Город' }, value: 'secret-city Орёл' }],
      },
    });
    expect(exported.callbacks).toHaveLength(1);
    await erase(one.id);
    const { entries } = (await get('/chat/audit?limit=2', admin)).as(auditResponseSchema);
    expect(entries.map(({ action, subject }) => [action, subject])).toEqual([
      ['session.erased', `session:${one.id}`],
      ['session.exported', `session:${one.id}`],
    ]);
  });

  it('[RET1] [RET2] data older than its retention is erased by kind; younger data stays, and the list keeps its order', async () => {
    const one = await tell();
    const young = randomUUID();
    await chat.database.kysely
      .updateTable('chat_event')
      .set({ created_at: new Date(Date.now() - 40 * DAY_MS) })
      .where('session_id', '=', one.id)
      .execute();
    const old = new Date(Date.now() - 40 * DAY_MS);
    await chat.database.kysely.updateTable('chat_session').set({ created_at: old }).where('id', '=', one.id).execute();
    await send(`${one.path}/messages`, one.token, { body: 'young', client_message_id: young });
    const { updated_at: activity } = (await get(one.path, anna)).as(staffSessionSchema);
    const eraser = new Eraser(chat.database, chat.context, chat.chat.attachments);
    const run = (days: object) =>
      retentionSweep(eraser, chat.chat.attachments, () => ({
        messages: 0,
        files: 0,
        contacts: 0,
        callbacks: 0,
        ...days,
      })).run();
    await run({});
    expect((await get(`${one.path}/messages`, one.token)).text).toContain(SECRET);
    await run({ messages: 30 });
    const { messages } = (await get(`${one.path}/messages`, one.token)).as(messagesResponseSchema);
    expect(messages.map(({ body }) => body)).toEqual(['', 'young']);
    expect(messages[0]?.attachments).toHaveLength(1);
    expect((await events(one.path, one.token)).at(-1)?.data).toEqual({
      scope: 'before',
      through_seq: 2,
      through_id: one.message.id,
      kinds: ['messages'],
    });
    const { updated_at } = (await get(one.path, anna)).as(staffSessionSchema);
    expect(updated_at).toBe(activity);
    const length = (await events(one.path, one.token)).length;
    await run({ messages: 30 });
    expect(await events(one.path, one.token)).toHaveLength(length);
    await run({ messages: 30, files: 30, contacts: 30 });
    const again = (await get(`${one.path}/messages`, one.token)).as(messagesResponseSchema).messages;
    expect(again[0]?.attachments).toEqual([]);
    // The chat is active, so the customer's identity stays.
    expect((await get(one.path, anna)).as(staffSessionSchema).contact.name).toBe(SECRET);
    await chat.database.kysely.updateTable('chat_session').set({ updated_at: old }).where('id', '=', one.id).execute();
    await run({ contacts: 30 });
    expect((await get(one.path, anna)).as(staffSessionSchema).contact.name).toBeNull();
  });

  it('[RET1] old callback requests are erased, including those without a chat', async () => {
    const loose = await chat.call('POST', '/chat/callback', {
      body: { phone: '+79161110000', name: SECRET, consent: true },
    });
    expect(loose.status).toBe(201);
    await chat.database.kysely
      .updateTable('chat_callback')
      .set({ created_at: new Date(1) })
      .execute();
    const eraser = new Eraser(chat.database, chat.context, chat.chat.attachments);
    await retentionSweep(eraser, chat.chat.attachments, () => ({
      messages: 0,
      files: 0,
      contacts: 0,
      callbacks: 7,
    })).run();
    await chat.stamp();
    const { events: feed } = (await get('/chat/feed?limit=500', anna)).as(feedResponseSchema);
    expect(JSON.stringify(feed.filter(({ type }) => type === 'chat.callback.staff'))).not.toMatch(
      /79161110000|79161234567/,
    );
    expect((await get('/chat/callbacks', anna)).text).not.toMatch(/79161110000|79161234567/);
  });
});
