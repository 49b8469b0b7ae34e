import { randomUUID } from 'node:crypto';
import {
  customerExportSchema,
  eraseResponseSchema,
  operatorInviteSchema,
  sessionExportSchema,
} from '@chat-realtime/protocol';
import { type Customer, ofType, Staff } from '@chat-realtime/testkit';
import { strFromU8, unzipSync } from 'fflate';
import { beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';
import { png } from '../../support/files.ts';
import { identityToken } from '../../support/tokens.ts';

const chat = await useChat('main');
const SECRET = 'a word that is to vanish';
let anna: Staff;
let admin: Staff;
beforeAll(async () => {
  [anna, admin] = [await chat.staff('anna'), await chat.staff('admin')];
});

describe('privacy', () => {
  test('[ERA1] [ERA2] [ERA4] [ERA5] connected clients receive chat.erased, and erased content is never shown again', async () => {
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

  test('[EXP2] the archive holds the document and the files, byte for byte', async () => {
    const customer = await chat.customer();
    const content = png(5, 4);
    const { id } = await customer.uploaded('Bild ä 😀.png', content);
    await customer.post('look', { attachments: [id] });
    const answer = await admin.request('GET', `${customer.path}/export?format=zip`);
    expect([answer.status, answer.headers['content-type']]).toEqual([200, 'application/zip']);
    const files = unzipSync(answer.body);
    expect(Object.keys(files)).toEqual(['chat.json', `files/${id}-Bild ä 😀.png`]);
    expect(Buffer.from(files[`files/${id}-Bild ä 😀.png`] ?? []).equals(content)).toBe(true);
    const document = sessionExportSchema.parse(JSON.parse(strFromU8(files['chat.json'] ?? new Uint8Array())));
    expect(document.messages.map(({ body }) => body)).toEqual(['look']);
    expectError(await admin.request('GET', `${customer.path}/export?format=tar`), 'validation_failed');
    expectError(await anna.request('GET', `${customer.path}/export?format=zip`), 'forbidden');
  });

  test('[EXP1] [EXP2] [ERA1] files and callback requests are exported, and after erasure are gone from everywhere', async () => {
    const customer = await chat.customer({ name: SECRET });
    const { id } = await customer.uploaded('secret.png', png(5, 4));
    const { attachments } = await customer.post(SECRET, { attachments: [id] });
    const asked = {
      phone: '+79161234567',
      name: SECRET,
      comment: SECRET,
      session_id: customer.sessionId,
      consent: true,
    };
    const callback = await chat.http.post('/chat/callback', { token: customer.token, json: asked });
    expect(callback.status, callback.text).toBe(201);
    const exported = (await admin.request('GET', `${customer.path}/export`)).as(sessionExportSchema);
    expect(exported.callbacks).toMatchObject([{ phone: '+79161234567', comment: SECRET, status: 'new' }]);
    const url = new URL(attachments[0]?.url ?? '', chat.baseUrl);
    expect((await chat.http.get(url.pathname + url.search)).status).toBe(200);
    expect((await admin.request('POST', `${customer.path}/erase`)).status).toBe(200);
    expectError(await chat.http.get(url.pathname + url.search), 'not_found');
    const after = await admin.request('GET', `${customer.path}/export`);
    for (const hidden of [SECRET, '+79161234567', 'secret.png']) expect(after.text).not.toContain(hidden);
    expect(after.as(sessionExportSchema).callbacks).toMatchObject([{ status: 'cancelled' }]);
    expect((await anna.request('GET', '/chat/callbacks?limit=100')).text).not.toContain(SECRET);
    const zip = unzipSync((await admin.request('GET', `${customer.path}/export?format=zip`)).body);
    expect(Object.keys(zip)).toEqual(['chat.json']);
  });

  test('[EXP1] [ERA1] [ERA6] [ASG10] [ASG12] an admin of a narrow scope can export and erase the chats they see, and no others', async () => {
    const password = 'a password of Vera';
    const narrow = async (scope: string) => {
      const json = { login: `op-${randomUUID().slice(0, 8)}`, name: 'Вера', role: 'admin', scope };
      const { invite_url } = (await admin.request('POST', '/auth/operators', { json })).as(operatorInviteSchema, 201);
      const key = new URL(invite_url).hash.replace('#invite=', '');
      expect((await chat.http.post('/auth/invite/accept', { json: { key, password } })).status).toBe(200);
      return Staff.login(chat.http, json.login, password);
    };
    const [own, assigned] = [await narrow('own'), await narrow('assigned')];
    const [theirs, free, others] = [await chat.customer(), await chat.customer(), await chat.customer()];
    for (const customer of [theirs, free, others]) await customer.post(SECRET);
    expect((await admin.act(theirs.sessionId, 'assign', { user_id: own.userId })).status).toBe(200);
    expect((await anna.act(others.sessionId, 'assign')).status).toBe(200);
    const both = async (staff: Staff, { path }: Customer, expected: 'seen' | 'hidden'): Promise<void> => {
      const calls = [
        await staff.request('GET', `${path}/export`),
        await staff.request('GET', `${path}/export?format=zip`),
        await staff.request('POST', `${path}/erase`, { json: {} }),
      ];
      for (const answer of calls)
        if (expected === 'seen') expect(answer.status, answer.line).toBe(200);
        else expectError(answer, 'session_not_found');
      const wide = { json: { scope: 'customer' } };
      expectError(
        await staff.request('POST', `${path}/erase`, wide),
        expected === 'seen' ? 'forbidden' : 'session_not_found',
      );
    };
    for (const hidden of [free, others]) await both(own, hidden, 'hidden');
    for (const hidden of [theirs, others]) await both(assigned, hidden, 'hidden');
    for (const { path } of [theirs, free, others])
      expect((await admin.request('GET', `${path}/export`)).text).toContain(SECRET);
    await both(own, theirs, 'seen');
    await both(assigned, free, 'seen');
    expect((await admin.request('GET', `${others.path}/export`)).text).toContain(SECRET);
    for (const { path } of [theirs, free])
      expect((await admin.request('GET', `${path}/export`)).text).not.toContain(SECRET);
  });

  test('[EXP3] [ERA6] [IDN10] a customer is exported and erased in all their chats, and does not come back', async () => {
    const sub = `person-${randomUUID()}`;
    const [one, two, other] = [await chat.customer(), await chat.customer(), await chat.customer()];
    for (const [index, customer] of [one, two].entries()) {
      await customer.post(`${SECRET} ${index}`);
      const json = {
        identity_token: await identityToken({ sub, name: SECRET }),
        session_id: customer.sessionId,
        token: customer.token,
      };
      expect((await chat.http.post('/chat/identity', { json })).status).toBe(200);
    }
    await other.post('stays');
    const all = (await admin.request('GET', `${two.path}/export?scope=customer`)).as(customerExportSchema);
    expect(all.sessions.map(({ session }) => session.id)).toEqual([one.sessionId, two.sessionId]);
    expectError(
      await admin.request('POST', `${other.path}/erase`, { json: { scope: 'customer' } }),
      'validation_failed',
    );
    expectError(await anna.request('POST', `${one.path}/erase`, { json: { scope: 'customer' } }), 'forbidden');
    const erased = await admin.request('POST', `${one.path}/erase`, { json: { scope: 'customer' } });
    expect(erased.as(eraseResponseSchema).erased_sessions).toBe(2);
    const json = { identity_token: await identityToken({ sub, name: SECRET }) };
    expect((await chat.http.post('/chat/identity', { json })).status).toBe(200);
    for (const { path } of [one, two]) {
      const answer = await admin.request('GET', `${path}/export`);
      expect(answer.as(sessionExportSchema).session.contact.name).toBeNull();
      expect(answer.text).not.toContain(SECRET);
    }
    expect((await admin.request('GET', `${other.path}/export`)).text).toContain('stays');
  });
});
