import { randomUUID } from 'node:crypto';
import type { Database, Statement } from '@chat-realtime/database';
import { messageSchema, sessionEventSchema } from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  anna,
  boris,
  type Harness,
  newChat,
  resumeKey,
  Stage,
  story,
  text,
  untilAvailable,
} from '../../test/harness.ts';

const stage = new Stage();
afterAll(() => stage.stop());

describe('sessions and messages on postgres', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await stage.harness();
  });

  it('[SES] a session begins with seq 1 and an optional message with seq 2', async () => {
    const { chat } = harness;
    const message = text('hello');
    const created = await chat.createSession({
      resumeKey: resumeKey(),
      name: 'Vera',
      message,
      attributes: { plan: 'pro' },
    });
    expect(created).toMatchObject({
      created: true,
      session: { status: 'new', assigned_user_id: null, last_seq: 2, callback_pending: false },
    });
    expect(created.message).toMatchObject({
      body: 'hello',
      sender_type: 'client',
      client_message_id: message.clientMessageId,
    });
    const { events } = await chat.events({ kind: 'customer', sessionId: created.session.id }, created.session.id, {
      afterSeq: 0,
      limit: 10,
    });
    expect(events.map((event) => event.seq)).toEqual([1, 2]);
    for (const event of events) sessionEventSchema.parse(event);
    expect(JSON.stringify(events)).not.toContain('Vera');
  });

  it('[SES] one session per resume key, however many ask at once', async () => {
    const { chat } = harness;
    const key = resumeKey();
    const message = text('first words');
    const ask = () => untilAvailable(() => chat.createSession({ resumeKey: key, message }));
    const all = await Promise.all(Array.from({ length: 8 }, ask));
    expect(new Set(all.map((one) => one.session.id)).size).toBe(1);
    expect(all.filter((one) => one.created)).toHaveLength(1);
    expect(new Set(all.map((one) => one.message?.id)).size).toBe(1);
    expect((await chat.findSessionByResumeKey(key))?.id).toBe(all[0]?.session.id);
    expect(await chat.findSessionByResumeKey(resumeKey())).toBeNull();
  });

  it('[MSG] a known client_message_id is answered with the stored message; with another body it is a conflict', async () => {
    const { chat } = harness;
    const { id, customer } = await newChat(chat);
    const post = text('once');
    const first = await chat.postMessage(customer, id, post);
    const again = await chat.postMessage(customer, id, post);
    expect(again).toEqual({ ...first, created: false });
    messageSchema.parse(first.message);
    await expect(chat.postMessage(customer, id, { ...post, body: 'other' })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
    // Ids of another sender are separate.
    expect(await chat.postMessage(anna, id, post)).toMatchObject({ created: true });
    expect(await chat.postMessage(boris, id, post)).toMatchObject({ created: true });
  });

  it('[MSG] a known id is answered before the state and expected_seq are checked', async () => {
    const { chat } = harness;
    const { id, customer } = await newChat(chat, 'hi');
    const post = text('answer');
    const sent = await chat.postMessage(anna, id, post);
    await chat.postMessage(boris, id, text('me too'));
    await chat.close(boris, id);
    expect((await chat.postMessage(anna, id, { ...post, expectedSeq: 1 })).message.id).toBe(sent.message.id);
    await expect(chat.postMessage(anna, id, { ...text('new'), expectedSeq: 1 })).rejects.toMatchObject({
      code: 'session_closed',
    });
    expect((await chat.getSession(customer, id)).status).toBe('closed');
  });

  it('[MSG] a customer reopens a closed session as new: status, then message, in one transaction', async () => {
    const { chat } = harness;
    const { id, customer, says } = await newChat(chat, 'hi');
    await chat.assign(anna, id);
    await chat.close(anna, id);
    await says('again');
    expect(await story(chat, id)).toEqual([
      'chat.session.created',
      'client:hi',
      'assigned:anna',
      'new>active:operator',
      'active>closed:operator',
      'closed>new:customer_message',
      'client:again',
    ]);
    const rows = await harness.database.kysely
      .selectFrom('chat_event')
      .select('xid')
      .where('session_id', '=', id)
      .where('seq', '>=', 6)
      .execute();
    expect(new Set(rows.map((row) => row.xid)).size).toBe(1);
    expect(await chat.getSession(customer, id)).toMatchObject({ status: 'new', assigned_user_id: null });
  });

  it('[MSG] expected_seq stops a send only after another operator wrote, claimed or closed', async () => {
    const { chat } = harness;
    const { id, says } = await newChat(chat, 'hi');
    await says('more');
    await chat.postMessage(anna, id, { ...text('first'), expectedSeq: 1 });
    await chat.postMessage(anna, id, { ...text('mine does not stop me'), expectedSeq: 1 });
    const { seq } = await chat.postMessage(anna, id, text('and one more'));
    await chat.postMessage(boris, id, { ...text('I know all'), expectedSeq: seq });
    const stale = chat.postMessage(anna, id, { ...text('late'), expectedSeq: seq });
    await expect(stale).rejects.toMatchObject({
      code: 'stale',
      details: { events: [{ seq: seq + 1, data: { body: 'I know all' } }] },
    });
    await chat.unassign(anna, id);
    await chat.assign(boris, id);
    await expect(chat.postMessage(anna, id, { ...text('late'), expectedSeq: seq + 1 })).rejects.toMatchObject({
      code: 'stale',
    });
    const head = await chat.close(boris, id);
    await says('not done');
    await expect(chat.postMessage(anna, id, { ...text('late'), expectedSeq: head.last_seq - 1 })).rejects.toMatchObject(
      { code: 'stale' },
    );
    await expect(chat.postMessage(anna, id, { ...text('knows'), expectedSeq: head.last_seq })).resolves.toMatchObject({
      created: true,
    });
  });

  it('[ATT] a message binds unsent uploads of its sender, each once', async () => {
    const { chat, database } = harness;
    const { id, customer } = await newChat(chat, 'files');
    const other = await newChat(chat);
    const upload = async (name: string, sessionId: number, by: string) => {
      const fileId = randomUUID();
      await database.kysely
        .insertInto('chat_attachment')
        .values({
          id: fileId,
          session_id: sessionId,
          uploaded_by: by,
          name,
          mime: 'image/png',
          size: 3,
          width: 4,
          storage_key: name,
        })
        .execute();
      return fileId;
    };
    const a = await upload('a.png', id, 'client');
    const b = await upload('b.png', id, 'client');
    const foreign = await upload('c.png', other.id, 'client');
    const staffs = await upload('d.png', id, 'staff:anna');
    for (const bad of [[foreign], [staffs], [a, a], ['nope']]) {
      await expect(chat.postMessage(customer, id, { ...text(''), attachments: bad })).rejects.toMatchObject({
        code: 'validation_failed',
      });
    }
    const post = { ...text(''), attachments: [b, a] };
    const sent = await chat.postMessage(customer, id, post);
    expect(sent.message.attachments).toEqual([
      { id: b, name: 'b.png', mime: 'image/png', size: 3, width: 4, url: `/chat/attachments/${b}?sig=test` },
      { id: a, name: 'a.png', mime: 'image/png', size: 3, width: 4, url: `/chat/attachments/${a}?sig=test` },
    ]);
    expect((await chat.postMessage(customer, id, post)).message).toEqual(sent.message);
    await expect(chat.postMessage(customer, id, { ...post, attachments: [a, b] })).rejects.toMatchObject({
      code: 'idempotency_conflict',
    });
    await expect(chat.postMessage(customer, id, { ...text(''), attachments: [a] })).rejects.toMatchObject({
      code: 'validation_failed',
    });
    expect((await chat.history(customer, id, { limit: 1 })).messages).toEqual([sent.message]);
  });

  it('[MSG] history pages by id in both directions', async () => {
    const { chat } = harness;
    const { id, customer, says } = await newChat(chat);
    const ids: number[] = [];
    for (let n = 0; n < 7; n += 1) ids.push(await says(`m${n}`));
    const bodies = async (page: { beforeId?: number; afterId?: number; limit: number }) => {
      const { messages, has_more: more } = await chat.history(customer, id, page);
      return [...messages.map((message) => message.body), more];
    };
    expect(await bodies({ limit: 3 })).toEqual(['m4', 'm5', 'm6', true]);
    expect(await bodies({ limit: 3, beforeId: ids[4]! })).toEqual(['m1', 'm2', 'm3', true]);
    expect(await bodies({ limit: 3, beforeId: ids[1]! })).toEqual(['m0', false]);
    expect(await bodies({ limit: 3, afterId: ids[1]! })).toEqual(['m2', 'm3', 'm4', true]);
    expect(await bodies({ limit: 5, afterId: ids[1]! })).toEqual(['m2', 'm3', 'm4', 'm5', 'm6', false]);
    expect(await bodies({ limit: 5, afterId: ids[6]! })).toEqual([false]);
  });

  it('[EVT] events page by seq, and a cursor beyond the head is refused', async () => {
    const { chat } = harness;
    const { id, customer, says } = await newChat(chat, 'a');
    await says('b');
    const page = await chat.events(customer, id, { afterSeq: 1, limit: 1 });
    expect([page.events.map((event) => event.seq), page.last_seq, page.has_more]).toEqual([[2], 3, true]);
    expect(await chat.events(customer, id, { afterSeq: 3, limit: 5 })).toEqual({
      events: [],
      last_seq: 3,
      has_more: false,
    });
    await expect(chat.events(customer, id, { afterSeq: 4, limit: 5 })).rejects.toMatchObject({ code: 'cursor_ahead' });
  });

  it('[MSG] after a fault around the commit, a retry duplicates no message', async () => {
    const faults = ['before the statement', 'inside its transaction', 'after the commit'];
    const breaking: Database = {
      ...harness.database,
      query: (statement, values) => breakOnce(statement, values ?? []),
    };
    async function breakOnce<R>(statement: Statement, values: readonly unknown[]): Promise<R[]> {
      const fault = statement.name === 'chat-post-message' ? faults.shift() : undefined;
      if (fault === 'inside its transaction') {
        const session = await harness.database.acquireSession();
        await session.query({ name: 'begin', text: 'BEGIN' });
        await session.query(statement, values);
        // The connection ends with the transaction open, as when its process is killed.
        await session.release();
      }
      if (fault === 'before the statement' || fault === 'inside its transaction') throw new Error(`fault ${fault}`);
      const rows = await harness.database.query<R>(statement, values);
      if (fault !== undefined) throw new Error(`fault ${fault}`);
      return rows;
    }
    const { chat, close } = await harness.another({ database: breaking });
    const { id, customer } = await newChat(chat);
    const post = text('once');
    for (const fault of [...faults])
      await expect(chat.postMessage(customer, id, post)).rejects.toThrow(`fault ${fault}`);
    expect((await chat.postMessage(customer, id, post)).created).toBe(false);
    expect(await story(chat, id)).toEqual(['chat.session.created', 'client:once']);
    await close();
  });
});
