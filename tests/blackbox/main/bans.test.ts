import { randomUUID } from 'node:crypto';
import { auditResponseSchema, banResponseSchema, bansResponseSchema } from '@chat-realtime/protocol';
import type { Customer, Staff } from '@chat-realtime/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError, fieldPaths } from '../../support/expect-error.ts';
import { identityToken } from '../../support/tokens.ts';

const chat = await useChat('main');
let anna: Staff;
let admin: Staff;
beforeAll(async () => {
  [anna, admin] = [await chat.staff('anna'), await chat.staff('admin')];
});
const send = (customer: Customer, body: string, clientMessageId: string = randomUUID()) =>
  customer.request('POST', '/messages', { json: { body, client_message_id: clientMessageId } });
const ask = (json: unknown, staff = anna) => staff.request('POST', '/chat/bans', { json });

describe('bans', () => {
  test('[BAN1] [BAN2] [BAN3] [BAN6] a banned visitor is refused without any event to staff, and can write again once the ban is lifted', async () => {
    const customer = await chat.customer();
    const said = await customer.post('before');
    const head = await anna.feedHead();
    const { ban } = (await ask({ session_id: customer.sessionId, by: 'session', reason: 'spam' })).as(
      banResponseSchema,
      201,
    );
    expectError(await send(customer, 'after'), 'banned');
    const again = await send(customer, 'before', said.client_message_id ?? '');
    expect(again.status).toBe(200);
    const { events } = await anna.feedAfter(head);
    expect(events.filter(({ session_id }) => session_id === customer.sessionId)).toEqual([]);
    const { bans } = (await anna.request('GET', '/chat/bans')).as(bansResponseSchema);
    expect(bans.find(({ id }) => id === ban.id)).toEqual(ban);
    expect((await anna.request('DELETE', `/chat/bans/${ban.id}`)).status).toBe(204);
    expectError(await anna.request('DELETE', `/chat/bans/${ban.id}`), 'ban_not_found');
    expect((await send(customer, 'at last')).status).toBe(201);
    const audit = (await admin.request('GET', '/chat/audit?limit=500')).as(auditResponseSchema);
    const ofBan = audit.entries.filter(({ details }) => details['ban_id'] === ban.id);
    expect(ofBan.map(({ action }) => action)).toEqual(['ban.lifted', 'ban.created']);
  });

  test('[BAN7] [BAN2] a banned visitor’s typing is shown to nobody, and their page is not recorded', async () => {
    const customer = await chat.customer();
    const client = await chat.channel(customer);
    const console = await chat.staffChannel(anna);
    const isTyping = (frame: { type: string; session_id?: number | null }) =>
      frame.type === 'chat.typing' && frame.session_id === customer.sessionId;
    client.send({ type: 'typing', active: true });
    await console.waitFor(isTyping, { label: 'typing before the ban' });
    const { ban } = (await ask({ session_id: customer.sessionId, by: 'session' })).as(banResponseSchema, 201);
    const shown = () => console.frames.filter(isTyping).length;
    // It reaches the gateways within a head check; each try is a change that would be told.
    const deadline = performance.now() + 20_000;
    let active = false;
    for (let quiet = 0; quiet < 2 && performance.now() < deadline; active = !active) {
      const before = shown();
      client.send({ type: 'typing', active });
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      quiet = shown() === before ? quiet + 1 : 0;
    }
    const after = shown();
    client.send({ type: 'typing', active });
    await client.roundTrip();
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(shown()).toBe(after);
    expectError(await customer.request('POST', '/page', { json: { page_url: 'https://shop.example/x' } }), 'banned');
    await anna.request('DELETE', `/chat/bans/${ban.id}`);
    const again = console.waitFor((frame) => isTyping(frame) && console.frames.indexOf(frame) >= after, {
      label: 'typing after the ban',
      timeoutMs: 20_000,
    });
    const pressing = setInterval(() => {
      active = !active;
      client.send({ type: 'typing', active });
    }, 1_000);
    await again.finally(() => clearInterval(pressing));
  });

  test('[BAN4] [BAN1] [BAN6] a banned customer is refused in all their chats, and nobody else is', async () => {
    const sub = `banned-${randomUUID()}`;
    const [one, two, other] = [await chat.customer(), await chat.customer(), await chat.customer()];
    for (const { sessionId, token } of [one, two]) {
      const json = { identity_token: await identityToken({ sub }), session_id: sessionId, token };
      expect((await chat.http.post('/chat/identity', { json })).status).toBe(200);
    }
    const { ban } = (await ask({ session_id: one.sessionId, by: 'customer' })).as(banResponseSchema, 201);
    expect(ban).toMatchObject({ by: 'customer', customer_id: sub, session_id: one.sessionId });
    for (const customer of [one, two]) expectError(await send(customer, 'no'), 'banned');
    expect((await send(other, 'yes')).status).toBe(201);
    // Their next chat is theirs too.
    const next = await chat.customer();
    const json = { identity_token: await identityToken({ sub }), session_id: next.sessionId, token: next.token };
    expect((await chat.http.post('/chat/identity', { json })).status).toBe(200);
    expectError(await send(next, 'no'), 'banned');
    expect((await anna.request('DELETE', `/chat/bans/${ban.id}`)).status).toBe(204);
    expect((await send(two, 'at last')).status).toBe(201);
  });

  test('[BAN5] [BAN4] [BAN1] an impossible ban is 422, and the answer says why', async () => {
    const { sessionId } = await chat.customer();
    for (const bad of [
      { session_id: sessionId, by: 'address' },
      { session_id: sessionId, by: 'customer' },
      { session_id: sessionId, by: 'everybody' },
    ])
      expect(fieldPaths(expectError(await ask(bad), 'validation_failed'))).toEqual(['by']);
    expectError(await ask({ session_id: 999_999_999, by: 'session' }), 'session_not_found');
    expectError(
      await anna.request('POST', '/chat/bans', { json: {}, headers: { Origin: 'https://evil.example' } }),
      'origin_not_allowed',
    );
  });

  test('[AUD1] the log of changes is for admins', async () => {
    expectError(await anna.request('GET', '/chat/audit'), 'forbidden');
    expectError(await admin.request('GET', '/chat/audit?limit=0'), 'validation_failed');
    expectError(await admin.request('GET', '/chat/audit?page=x'), 'validation_failed');
  });
});
