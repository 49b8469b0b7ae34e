import { sessionExportSchema } from '@chat-realtime/protocol';
import { ofType, type Staff } from '@chat-realtime/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');
const SECRET = 'a word that is to vanish';
let anna: Staff;
let admin: Staff;
beforeAll(async () => {
  [anna, admin] = [await chat.staff('anna'), await chat.staff('admin')];
});

describe('privacy', () => {
  test('[ERA1] [ERA2] [ERA4] [ERA5] what was erased is told to who is connected, and nobody is shown it again', async () => {
    const customer = await chat.customer({ name: SECRET });
    const said = await customer.post(SECRET);
    const cursor = await anna.feedHead();
    const [channel, staffChannel] = [await chat.channel(customer), await chat.staffChannel(anna)];
    expect((await admin.request('POST', `${customer.path}/erase`, { json: {} })).status).toBe(200);
    const isErased = ofType('chat.erased');
    const told = await channel.waitFor(isErased, { label: 'chat.erased' });
    expect(told.data).toMatchObject({ scope: 'session', through_id: said.id });
    expect(told.seq).toBeGreaterThan(2);
    await staffChannel.waitFor((frame) => isErased(frame) && frame.session_id === customer.sessionId, {
      label: 'chat.erased for staff',
    });
    expect(JSON.stringify(await customer.events())).not.toContain(SECRET);
    expect(JSON.stringify(await anna.row(customer.sessionId))).not.toContain(SECRET);
    // Neither does a gateway show it to who comes back with a cursor of before.
    const again = await chat.channel(customer, { lastSeq: 1 });
    await again.waitFor(isErased, { label: 'chat.erased after a resume' });
    expect(JSON.stringify(again.frames)).not.toContain(SECRET);
    const staffAgain = await chat.staffChannel(anna, { cursor: String(Number(cursor) - 1) });
    await staffAgain.waitFor((frame) => isErased(frame) && frame.session_id === customer.sessionId, {
      label: 'resume',
    });
    expect(JSON.stringify(staffAgain.frames)).not.toContain(SECRET);
    const repeated = { body: SECRET, client_message_id: said.client_message_id };
    expect((await customer.request('POST', '/messages', { json: repeated })).status).toBe(200);
    const other = { ...repeated, body: 'other' };
    expectError(await customer.request('POST', '/messages', { json: other }), 'idempotency_conflict');
  });

  test('[EXP1] [ERA1] an admin gets everything in one document; others get nothing', async () => {
    const customer = await chat.customer({ name: 'Анна', attributes: { order: 7 } });
    await customer.post('first');
    await anna.note(customer.sessionId, 'a note');
    const answer = await admin.request('GET', `${customer.path}/export`);
    const exported = answer.as(sessionExportSchema);
    expect(exported.session).toMatchObject({ id: customer.sessionId, attributes: { order: 7 } });
    expect(exported.messages.map(({ body }) => body)).toEqual(['first']);
    expect(exported.notes.map(({ body }) => body)).toEqual(['a note']);
    expectError(await anna.request('GET', `${customer.path}/export`), 'forbidden');
    expectError(await anna.request('POST', `${customer.path}/erase`, { json: {} }), 'forbidden');
    expectError(await customer.request('GET', '/export'), 'bad_token');
  });
});
