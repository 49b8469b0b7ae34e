import { randomUUID } from 'node:crypto';
import { brokerEventSchema, messageSchema, sessionEventSchema } from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { admin, allRefused, anna, boris, type Harness, KINDS, newChat, operator, resumeKey, Stage, story, text } from '../../test/harness.ts';

const stage = new Stage();
afterAll(() => stage.stop());

describe.each(KINDS)('sessions and messages on %s', (kind) => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await stage.harness(kind);
  });

  it('[SES] a session begins with seq 1 and an optional message with seq 2', async () => {
    const { chat } = harness;
    const message = text('hello');
    const created = await chat.createSession({ resumeKey: resumeKey(), name: 'Vera', message, attributes: { plan: 'pro' } });
    expect(created).toMatchObject({ created: true, session: { status: 'new', assigned_user_id: null, last_seq: 2, callback_pending: false } });
    expect(created.message).toMatchObject({ body: 'hello', sender_type: 'client', client_message_id: message.clientMessageId });
    const { events } = await chat.events({ kind: 'customer', sessionId: created.session.id }, created.session.id, { afterSeq: 0, limit: 10 });
    expect(events.map((event) => event.seq)).toEqual([1, 2]);
    for (const event of events) sessionEventSchema.parse(event);
    expect(JSON.stringify(events)).not.toContain('Vera');
  });

  it('[SES] one session per resume key, however many ask at once', async () => {
    const { chat } = harness;
    const key = resumeKey();
    const message = text('first words');
    const all = await Promise.all(Array.from({ length: 8 }, () => chat.createSession({ resumeKey: key, message })));
    expect(new Set(all.map((one) => one.session.id)).size).toBe(1);
    expect(all.filter((one) => one.created)).toHaveLength(1);
    expect(new Set(all.map((one) => one.message?.id)).size).toBe(1);
    expect((await chat.findSessionByResumeKey(key))?.id).toBe(all[0]?.session.id);
    expect(await chat.findSessionByResumeKey(resumeKey())).toBeNull();
  });

  it('[MSG] a known client_message_id answers the stored message, another body is a conflict', async () => {
    const { chat } = harness;
    const { id, customer } = await newChat(chat);
    const post = text('once');
    const first = await chat.postMessage(customer, id, post);
    const again = await chat.postMessage(customer, id, post);
    expect(again).toEqual({ ...first, created: false });
    messageSchema.parse(first.message);
    await expect(chat.postMessage(customer, id, { ...post, body: 'other' })).rejects.toMatchObject({ code: 'idempotency_conflict' });
    // Another sender has ids of his own.
    expect(await chat.postMessage(anna, id, post)).toMatchObject({ created: true });
    expect(await chat.postMessage(boris, id, post)).toMatchObject({ created: true });
  });

  it('[MSG] the known id is answered before the state and expected_seq are looked at', async () => {
    const { chat } = harness;
    const { id, customer } = await newChat(chat, 'hi');
    const post = text('answer');
    const sent = await chat.postMessage(anna, id, post);
    await chat.postMessage(boris, id, text('me too'));
    await chat.close(boris, id);
    expect((await chat.postMessage(anna, id, { ...post, expectedSeq: 1 })).message.id).toBe(sent.message.id);
    await expect(chat.postMessage(anna, id, { ...text('new'), expectedSeq: 1 })).rejects.toMatchObject({ code: 'session_closed' });
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
    const rows = await harness.database.kysely.selectFrom('chat_event').select('xid').where('session_id', '=', id).where('seq', '>=', 6).execute();
    expect(new Set(rows.map((row) => row.xid)).size).toBe(1);
    expect(await chat.getSession(customer, id)).toMatchObject({ status: 'new', assigned_user_id: null });
  });

  it('[MSG] expected_seq stops a send only after another operator wrote, claimed or closed', async () => {
    const { chat } = harness;
    const { id, says } = await newChat(chat, 'hi');
    await says('more');
    await chat.postMessage(anna, id, { ...text('first'), expectedSeq: 1 });
    await chat.postMessage(anna, id, { ...text('mine does not stop me'), expectedSeq: 1 });
    await chat.postMessage(boris, id, { ...text('I know both'), expectedSeq: 5 });
    const stale = chat.postMessage(anna, id, { ...text('late'), expectedSeq: 5 });
    await expect(stale).rejects.toMatchObject({ code: 'stale', details: { events: [{ seq: 6, data: { body: 'I know both' } }] } });
    await chat.assign(boris, id);
    await expect(chat.postMessage(anna, id, { ...text('late'), expectedSeq: 6 })).rejects.toMatchObject({ code: 'stale' });
    const head = await chat.close(boris, id);
    await says('not done');
    await expect(chat.postMessage(anna, id, { ...text('late'), expectedSeq: head.last_seq - 1 })).rejects.toMatchObject({ code: 'stale' });
    await expect(chat.postMessage(anna, id, { ...text('knows'), expectedSeq: head.last_seq })).resolves.toMatchObject({ created: true });
  });

  it('[ATT] a message binds unsent uploads of its sender, each once', async () => {
    const { chat, database } = harness;
    const { id, customer } = await newChat(chat, 'files');
    const other = await newChat(chat);
    const upload = async (name: string, sessionId: number, by: string) => {
      const fileId = randomUUID();
      await database.kysely
        .insertInto('chat_attachment')
        .values({ id: fileId, session_id: sessionId, uploaded_by: by, name, mime: 'image/png', size: 3, width: 4, storage_key: name })
        .execute();
      return fileId;
    };
    const a = await upload('a.png', id, 'client');
    const b = await upload('b.png', id, 'client');
    const foreign = await upload('c.png', other.id, 'client');
    const staffs = await upload('d.png', id, 'staff:anna');
    for (const bad of [[foreign], [staffs], [a, a], ['nope']]) {
      await expect(chat.postMessage(customer, id, { ...text(''), attachments: bad })).rejects.toMatchObject({ code: 'validation_failed' });
    }
    const post = { ...text(''), attachments: [b, a] };
    const sent = await chat.postMessage(customer, id, post);
    expect(sent.message.attachments).toEqual([
      { id: b, name: 'b.png', mime: 'image/png', size: 3, width: 4, url: `/chat/attachments/${b}?sig=test` },
      { id: a, name: 'a.png', mime: 'image/png', size: 3, width: 4, url: `/chat/attachments/${a}?sig=test` },
    ]);
    expect((await chat.postMessage(customer, id, post)).message).toEqual(sent.message);
    await expect(chat.postMessage(customer, id, { ...post, attachments: [a, b] })).rejects.toMatchObject({ code: 'idempotency_conflict' });
    await expect(chat.postMessage(customer, id, { ...text(''), attachments: [a] })).rejects.toMatchObject({ code: 'validation_failed' });
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
    expect(await chat.events(customer, id, { afterSeq: 3, limit: 5 })).toEqual({ events: [], last_seq: 3, has_more: false });
    await expect(chat.events(customer, id, { afterSeq: 4, limit: 5 })).rejects.toMatchObject({ code: 'cursor_ahead' });
  });

  it('[SES] a session of somebody else, or of nobody, does not exist', async () => {
    const { chat } = harness;
    const mine = await newChat(chat);
    const other = await newChat(chat);
    const asCustomer = (id: number) => [
      chat.getSession(mine.customer, id),
      chat.postMessage(mine.customer, id, text('x')),
      chat.history(mine.customer, id, { limit: 1 }),
      chat.events(mine.customer, id, { afterSeq: 0, limit: 1 }),
      chat.markRead(mine.customer, id, 1),
    ];
    expect(await allRefused(asCustomer(other.id))).toEqual(['session_not_found']);
    for (const id of [987_654_321, 2 ** 53 - 1]) {
      const calls = [chat.getSession(anna, id), chat.postMessage(anna, id, text('x')), chat.assign(anna, id), chat.close(anna, id), chat.notes(anna, id), chat.revoke(anna, id)];
      expect(await allRefused(calls)).toEqual(['session_not_found']);
    }
  });

  it('[ASG] scope assigned: another operator’s session does not exist', async () => {
    const { chat } = harness;
    const scoped = operator('sonja', { scope: 'assigned' });
    const { id } = await newChat(chat, 'hi');
    expect((await chat.getSession(scoped, id)).id).toBe(id);
    await chat.assign(anna, id);
    const calls = [
      chat.getSession(scoped, id),
      chat.postMessage(scoped, id, text('x')),
      chat.history(scoped, id, { limit: 1 }),
      chat.events(scoped, id, { afterSeq: 0, limit: 1 }),
      chat.markRead(scoped, id, 1),
      chat.assign(scoped, id),
      chat.unassign(scoped, id),
      chat.close(scoped, id),
      chat.reopen(scoped, id),
      chat.addNote(scoped, id, 'x'),
      chat.notes(scoped, id),
      chat.revoke(scoped, id),
    ];
    expect(await allRefused(calls)).toEqual(['session_not_found']);
    await chat.assign(admin, id, 'sonja');
    expect((await chat.getSession(scoped, id)).assigned_user_id).toBe('sonja');
  });

  it('[ASG] claim, transfer, unassign, close and reopen tell the channel; version only rises', async () => {
    const { chat } = harness;
    const { id } = await newChat(chat, 'hi');
    await chat.staffSeen(boris);
    const versions: number[] = [];
    const step = async (work: Promise<{ version: number }>) => versions.push((await work).version);
    await step(chat.assign(anna, id));
    await step(chat.assign(anna, id));
    await expect(chat.assign(boris, id)).rejects.toMatchObject({ code: 'already_assigned', details: { assigned_user_id: 'anna' } });
    await step(chat.assign(anna, id, 'boris'));
    expect(await chat.getSession(anna, id)).toMatchObject({ assigned_user_id: 'boris', assigned_user_name: 'BORIS' });
    await step(chat.unassign(admin, id));
    await step(chat.close(anna, id));
    await step(chat.reopen(anna, id));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(versions[1]).toBe(versions[0]);
    expect(await story(chat, id)).toEqual([
      'chat.session.created',
      'client:hi',
      'assigned:anna',
      'new>active:operator',
      'assigned:boris',
      'assigned:null',
      'active>new:operator',
      'new>closed:operator',
      'closed>new:operator',
    ]);
  });

  it('[NOTE] notes take no seq and stay with staff', async () => {
    const { chat } = harness;
    const { id, customer } = await newChat(chat, 'hi');
    const note = await chat.addNote(anna, id, 'difficult');
    expect(await chat.notes(boris, id)).toEqual([note]);
    expect((await chat.getSession(customer, id)).last_seq).toBe(2);
    expect(JSON.stringify(await chat.events(customer, id, { afterSeq: 0, limit: 9 }))).not.toContain('difficult');
  });

  it('[REV] a revocation is stored with the session, listed after a head and announced', async () => {
    const { chat, publisher } = harness;
    const { id } = await newChat(chat);
    const { head } = await chat.revocations(0);
    await chat.revoke(anna, id);
    await chat.revokeStaff('staff', 'mallory');
    const after = await chat.revocations(head);
    expect(after.revocations.map(({ kind: what, subject }) => [what, subject])).toEqual([
      ['session', String(id)],
      ['staff', 'mallory'],
    ]);
    expect(after.head).toBe(after.revocations[1]?.id);
    expect((await chat.findSession(id))?.revokedAt).toBe(after.revocations[0]?.not_after);
    expect(publisher.ephemerals).toContainEqual({ v: 1, type: 'control.revoked', data: after.revocations[0] });
  });

  it('[AMQP] the relay publishes every event in order, with the contact for staff alone', async () => {
    const { chat, service, publisher } = harness;
    const { id, says } = await newChat(chat, 'hi');
    await says('there');
    await chat.assign(anna, id);
    await chat.addNote(anna, id, 'note');
    service.start();
    await expect.poll(() => publisher.seqsOf(id)).toEqual([1, 2, 3, 4, 5, null]);
    const events = publisher.events.filter(({ event }) => event.session_id === id);
    for (const { event } of events) brokerEventSchema.parse(event);
    expect(events[0]?.event).toMatchObject({ type: 'chat.session.created', staff_data: { contact: { name: 'Vera' } } });
    expect(events[3]?.event.subscribers).toEqual({ session_id: id, assigned_user_id: 'anna', previous_user_id: null });
    expect(events[1]?.routingKey).toBe('chat.message.sent');
    expect(events[3]?.routingKey).toBe('chat.session.updated');
    const started = Date.now();
    await says('live');
    await expect.poll(() => publisher.seqsOf(id).at(-1), { interval: 2 }).toBe(6);
    expect(Date.now() - started).toBeLessThan(200);
    await service.stop();
  });
});
