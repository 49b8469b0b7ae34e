import { randomUUID } from 'node:crypto';
import {
  createSessionResponseSchema,
  eventsResponseSchema,
  messagesResponseSchema,
  postMessageResponseSchema,
  readResponseSchema,
} from '@chat-realtime/protocol';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';

let chat: ChatUnderTest;
let anna: string;

beforeAll(async () => {
  chat = await ChatUnderTest.start();
  anna = await chat.staff('anna');
});
afterAll(() => chat.stop());

async function newSession(body: object = {}) {
  const answer = await chat.call('POST', '/chat/session', { body });
  expect(answer.status).toBe(201);
  return answer.as(createSessionResponseSchema);
}

describe('messages', () => {
  it('[MSG1] [MSG3] a post is 201, a retry 200 with the same message', async () => {
    const { session, token } = await newSession();
    const url = `/chat/session/${session.id}/messages`;
    const body = { body: 'текст', client_message_id: randomUUID().toUpperCase() };
    const first = await chat.call('POST', url, { token, body });
    const again = await chat.call('POST', url, {
      token,
      body: { ...body, client_message_id: body.client_message_id.toLowerCase() },
    });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.text).toBe(first.text);
    expect(first.as(postMessageResponseSchema).message).toMatchObject({
      sender_type: 'client',
      client_message_id: body.client_message_id.toLowerCase(),
    });
    expect((await chat.call('POST', url, { token, body: { ...body, body: 'другой' } })).code).toBe(
      'idempotency_conflict',
    );
  });

  it('[MSG3] the header Idempotency-Key replaces client_message_id, and the body takes precedence', async () => {
    const { session, token } = await newSession();
    const url = `/chat/session/${session.id}/messages`;
    const [key, own] = [randomUUID(), randomUUID()];
    const headers = { 'idempotency-key': key };
    const first = await chat.call('POST', url, { token, headers, body: { body: 'a' } });
    expect(first.as(postMessageResponseSchema).message.client_message_id).toBe(key);
    const second = await chat.call('POST', url, { token, headers, body: { body: 'a', client_message_id: own } });
    expect(second.as(postMessageResponseSchema).message.client_message_id).toBe(own);
    expect(
      (await chat.call('POST', url, { token, headers: { 'idempotency-key': 'x' }, body: { body: 'a' } })).status,
    ).toBe(422);
  });

  it('[MSG8] [MSG9] a closed session is reopened by its customer, and refuses operators', async () => {
    const { session, token } = await newSession();
    const url = `/chat/session/${session.id}`;
    expect((await chat.call('POST', `${url}/close`, { token: anna })).status).toBe(200);
    const post = (by: string) =>
      chat.call('POST', `${url}/messages`, { token: by, body: { body: 'ещё', client_message_id: randomUUID() } });
    expect((await post(anna)).code).toBe('session_closed');
    expect((await post(token)).status).toBe(201);
    const { events } = (await chat.call('GET', `${url}/events?after_seq=2`, { token })).as(eventsResponseSchema);
    expect(events.map(({ type }) => type)).toEqual(['chat.session.status', 'chat.message']);
  });

  it("[MSG10] [MSG11] an operator's send is stopped by a colleague's message, not by the customer's", async () => {
    const { session, token } = await newSession();
    const boris = await chat.staff('boris');
    const url = `/chat/session/${session.id}/messages`;
    const post = (by: string, expected_seq?: number) =>
      chat.call('POST', url, { token: by, body: { body: 'x', client_message_id: randomUUID(), expected_seq } });
    expect((await post(token)).status).toBe(201);
    expect((await post(anna, 1)).status).toBe(201);
    const stale = await post(boris, 2);
    expect([stale.status, stale.code]).toEqual([409, 'stale']);
    expect(stale.text).toContain('"events":[');
  });

  it('[MSG12] [ERR5] [ERR6] history is read in pages', async () => {
    const { session, token } = await newSession();
    const url = `/chat/session/${session.id}/messages`;
    for (const body of ['1', '2', '3'])
      await chat.call('POST', url, { token, body: { body, client_message_id: randomUUID() } });
    const newest = (await chat.call('GET', `${url}?limit=2`, { token })).as(messagesResponseSchema);
    expect([newest.messages.map(({ body }) => body), newest.has_more]).toEqual([['2', '3'], true]);
    for (const query of [
      'limit=0',
      'limit=501',
      'limit=x',
      'limit=1e2',
      'limit=-1',
      'limit=1&limit=2',
      'before_id=-1',
      'after_id=1.5',
    ]) {
      expect([query, (await chat.call('GET', `${url}?${query}`, { token })).status]).toEqual([query, 422]);
    }
    expect((await chat.call('GET', `${url}?limit=500`, { token })).status).toBe(200);
  });

  it('[RD1] [RD2] a read mark is limited to the newest message and never goes back', async () => {
    const { session, token, message } = await newSession({ message: { body: 'x', client_message_id: randomUUID() } });
    const read = async (last_id: number) =>
      (await chat.call('POST', `/chat/session/${session.id}/read`, { token, body: { last_id } })).as(
        readResponseSchema,
      );
    expect(await read(Number.MAX_SAFE_INTEGER)).toEqual({ read_id: message?.id });
    expect(await read(0)).toEqual({ read_id: message?.id });
    expect((await chat.call('POST', `/chat/session/${session.id}/read`, { token, body: { last_id: -1 } })).status).toBe(
      422,
    );
  });

  it('[EVT3] a cursor beyond the head is 409', async () => {
    const { session, token } = await newSession();
    expect((await chat.call('GET', `/chat/session/${session.id}/events?after_seq=2`, { token })).code).toBe(
      'cursor_ahead',
    );
  });
});
