import { attachmentResponseSchema } from '@chat-realtime/protocol';
import { Customer, ofType, staffEventKey } from '@chat-realtime/testkit';
import { expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { png } from '../../support/files.ts';

const chat = await useChat('main');

test('[OPS6] [OPS5] [AUTH9] [RES2] [DRN2] after a restart all data, tokens and cursors are valid', async () => {
  const [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
  const resumeKey = (await chat.customer()).resumeKey.split('').reverse().join('').replace(/.$/, 'A');
  const customer = await Customer.create(chat.http, { name: 'Stays', resume_key: resumeKey });
  const file = png(4, 4);
  const upload = (await customer.upload('kept.png', file)).as(attachmentResponseSchema, 201);
  await customer.post('before the restart', { attachments: [upload.id] });
  await anna.act(customer.sessionId, 'assign');
  await anna.note(customer.sessionId, 'kept note');
  const cursor = await anna.feedHead();
  const before = await customer.events();
  const row = await anna.row(customer.sessionId);
  const channel = await chat.channel(customer, { lastSeq: 0 });
  await channel.waitFor((frame) => frame.seq === before.last_seq);
  const { epoch } = (await channel.ready()).data;

  await chat.restart();

  const closed = await channel.closed();
  expect(closed.code).toBe(1012);
  expect(channel.frames.some(ofType('channel.goodbye'))).toBe(true);
  expect((await anna.request('GET', '/auth/me')).status).toBe(200);
  expect((await customer.events()).events.map(({ seq, type }) => [seq, type])).toEqual(
    before.events.map(({ seq, type }) => [seq, type]),
  );
  expect(await anna.row(customer.sessionId)).toMatchObject({
    unread_count: row.unread_count,
    contact: row.contact,
    last_seq: row.last_seq,
  });
  const [message] = (await customer.messages()).messages;
  const url = new URL(message?.attachments[0]?.url ?? '', chat.baseUrl);
  expect((await chat.http.get(url.pathname + url.search)).body.equals(file)).toBe(true);
  expect((await anna.notes(customer.sessionId)).map((note) => note.body)).toEqual(['kept note']);

  await customer.post('after the restart');
  const resumed = await chat.channel(customer, { lastSeq: before.last_seq });
  expect((await resumed.ready()).data['epoch']).toBe(epoch);
  await resumed.waitFor((frame) => frame.seq === before.last_seq + 1);
  const console = await chat.staffChannel(boris, { cursor });
  await console.waitFor((frame) => staffEventKey(frame) === `${customer.sessionId}:${before.last_seq + 1}`);
  const again = await Customer.create(chat.http, { resume_key: resumeKey });
  expect(again.sessionId).toBe(customer.sessionId);
  const fresh = await chat.customer();
  expect(fresh.sessionId).toBeGreaterThan(customer.sessionId);
}, 90_000);
