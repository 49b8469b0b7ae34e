import { randomUUID } from 'node:crypto';
import { postMessageResponseSchema } from '@chat-realtime/protocol';
import { messageRequest } from '@chat-realtime/testkit';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');

describe('posting', () => {
  test("[MSG1] [MSG2] a customer's message is in history and events when it is answered", async () => {
    const customer = await chat.customer();
    const request = messageRequest('Good day');
    const answer = await customer.request('POST', '/messages', { json: request });
    const { message } = answer.as(postMessageResponseSchema, 201);
    expect(message).toMatchObject({
      sender_type: 'client',
      body: 'Good day',
      attachments: [],
      client_message_id: request['client_message_id'],
    });
    expect((await customer.messages()).messages).toEqual([message]);
    expect((await customer.events()).events.at(-1)).toMatchObject({ type: 'chat.message', seq: 2, data: message });
  });

  test('[MSG1] an operator writes under their name, whatever the body claims', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const answer = await anna.request('POST', `${customer.path}/messages`, {
      json: { ...messageRequest('Hi'), sender_type: 'client', sender_id: 'someone', sender_name: 'Someone' },
    });
    const { message } = answer.as(postMessageResponseSchema, 201);
    expect(message.sender_type).toBe('operator');
    expect(message.sender_id).toBe(anna.userId);
    expect(message.sender_name).toBeTruthy();
    expect(message.sender_name).not.toBe('Someone');
    const spoofed = await customer.request('POST', '/messages', {
      json: { ...messageRequest('x'), sender_type: 'operator' },
    });
    expect(spoofed.as(postMessageResponseSchema, 201).message.sender_type).toBe('client');
  });

  test.each([
    ['two lines', 'a\nb\r\nc'],
    ['markup', '<img src=x onerror=alert(1)>&amp;&#60;'],
    ['emoji and joiners', '👩‍👩‍👧‍👦 é ﷽'],
    ['bidirectional marks', 'a\u202eb\u2066c\u2069'],
    ['line separators', 'a\u2028b\u2029c\u0085d\u000bd'],
    ['combining marks', `Z${'\u0351'.repeat(200)}`],
    ['spaces around', '  x  '],
    ['SSE fields', 'x\n\ndata: {"type":"evil"}\nid: 99\nevent: y\n\n'],
    ['JSON', '{"type":"chat.message","seq":1}'],
    ['SQL', "'; DROP TABLE chat_event; -- %s {0} \\x00 $1"],
    ['private use and the last code point', '\ue000\u{10ffff}\ufffe'],
  ])('[MSG15] %s come back exactly', async (_what, body) => {
    const customer = await chat.customer();
    expect((await customer.post(body)).body).toBe(body);
    expect((await customer.messages()).messages[0]?.body).toBe(body);
  });

  test('[ERR8] 10,000 code points are the limit, counted as code points', async () => {
    const customer = await chat.customer();
    for (const body of ['a'.repeat(10_000), '😀'.repeat(10_000), 'я'.repeat(10_000)]) {
      expect((await customer.post(body)).body).toBe(body);
    }
    for (const body of ['a'.repeat(10_001), '😀'.repeat(10_001)]) {
      expectError(await customer.request('POST', '/messages', { json: messageRequest(body) }), 'validation_failed');
    }
  });

  test.each([
    ['an empty body', { body: '' }],
    ['white space', { body: ' \t\r\n\u00a0\u2003' }],
    ['no body', { body: undefined }],
    ['a body of another type', { body: 5 }],
    ['a body that is an object', { body: { $gt: '' } }],
    ['null', { body: null }],
    ['no client_message_id', { client_message_id: undefined }],
    ['an id that is no UUID', { client_message_id: 'abc' }],
    ['an id with braces', { client_message_id: `{${randomUUID()}}` }],
    ['a numeric id', { client_message_id: 1 }],
    ['six attachments', { attachments: ['1', '2', '3', '4', '5', '6'] }],
    ['an unknown attachment', { attachments: ['00000000-0000-4000-8000-000000000000'] }],
    ['attachments of another type', { attachments: 'a' }],
    ['a negative expected_seq', { expected_seq: -1 }],
    ['a text expected_seq', { expected_seq: '1' }],
    ['a fractional expected_seq', { expected_seq: 1.5 }],
    ['an unsafe expected_seq', { expected_seq: 2 ** 53 }],
  ])('[ERR4] [ERR8] [MSG7] %s is 422 and stores nothing', async (_what, change) => {
    const customer = await chat.customer();
    const json = { ...messageRequest('fine'), ...change };
    expectError(await customer.request('POST', '/messages', { json }), 'validation_failed');
    expect((await customer.session()).last_seq).toBe(1);
  });

  test('[MSG19] Idempotency-Key may replace client_message_id, and the body wins', async () => {
    const customer = await chat.customer();
    const key = randomUUID();
    const path = `/chat/session/${customer.sessionId}/messages`;
    const post = (json: object, header: string) =>
      customer.http.post(path, { token: customer.token, json, headers: { 'Idempotency-Key': header } });
    const first = await post({ body: 'once' }, key);
    const again = await post({ body: 'once' }, key);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.json()).toMatchObject({ message: { client_message_id: key } });
    const own = randomUUID();
    expect((await post({ body: 'other', client_message_id: own }, key)).json()).toMatchObject({
      message: { client_message_id: own },
    });
    expect((await post({ body: 'third' }, 'no uuid')).status).toBe(422);
  });

  test('[MSG3] client_message_id: UUIDs of any version and case, compared without regard to case', async () => {
    const customer = await chat.customer();
    for (const id of [
      '00000000-0000-0000-0000-000000000000',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
      '01893b6e-7a1c-7cc0-98c4-dc0c0c07398f',
      'c232ab00-9414-11ec-b3c8-9f6bdeced846',
    ]) {
      const first = await customer.post(`with ${id}`, { clientMessageId: id });
      const again = await customer.post(`with ${id}`, { clientMessageId: id.toUpperCase() });
      expect(again.id).toBe(first.id);
    }
    expect((await customer.messages()).messages).toHaveLength(4);
  });
});

describe('idempotency', () => {
  test('[MSG3] the same post again is 200 with the stored message', async () => {
    const customer = await chat.customer();
    const json = messageRequest('Once');
    const first = await customer.request('POST', '/messages', { json });
    const second = await customer.request('POST', '/messages', { json });
    expect([first.status, second.status]).toEqual([201, 200]);
    expect(second.as(postMessageResponseSchema).message).toEqual(first.as(postMessageResponseSchema, 201).message);
    expect((await customer.session()).last_seq).toBe(2);
  });

  test('[MSG4] the same id with another body or attachments is 409 and stores nothing', async () => {
    const customer = await chat.customer();
    const json = messageRequest('Once');
    await customer.request('POST', '/messages', { json });
    expectError(
      await customer.request('POST', '/messages', { json: { ...json, body: 'Twice' } }),
      'idempotency_conflict',
    );
    expectError(
      await customer.request('POST', '/messages', { json: { ...json, body: 'Once ' } }),
      'idempotency_conflict',
    );
    const png = Buffer.from(
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
      'base64',
    );
    const { id } = await customer.uploaded('a.png', png);
    expectError(
      await customer.request('POST', '/messages', { json: { ...json, attachments: [id] } }),
      'idempotency_conflict',
    );
    expect((await customer.messages()).messages.map((message) => message.body)).toEqual(['Once']);
  });

  test('[MSG5] thirty racing posts of one message: one 201, 29 times 200, one message', async () => {
    const customer = await chat.customer();
    const json = messageRequest('Race');
    const answers = await Promise.all(
      Array.from({ length: 30 }, () => customer.request('POST', '/messages', { json })),
    );
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(29);
    expect((await customer.messages()).messages).toHaveLength(1);
  });

  test('[MSG6] the same id of another sender or session is another message', async () => {
    const one = await chat.customer();
    const two = await chat.customer();
    const anna = await chat.staff('anna');
    const boris = await chat.staff('boris');
    const clientMessageId = randomUUID();
    const ids = [
      (await one.post('same', { clientMessageId })).id,
      (await two.post('same', { clientMessageId })).id,
      (await anna.post(one.sessionId, 'same', { clientMessageId })).id,
      (await boris.post(one.sessionId, 'same', { clientMessageId })).id,
    ];
    expect(new Set(ids).size).toBe(4);
  });

  test('[MSG7] [MSG3] a known id is answered 200 in a closed session and with a stale expected_seq', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const boris = await chat.staff('boris');
    const clientMessageId = randomUUID();
    const message = await anna.post(customer.sessionId, 'Known', { clientMessageId });
    await boris.post(customer.sessionId, 'Overtaken');
    const stale = await anna.send(customer.sessionId, 'Known', { clientMessageId, expectedSeq: 1 });
    expect(stale.as(postMessageResponseSchema, 200).message).toEqual(message);
    await boris.act(customer.sessionId, 'close');
    const closed = await anna.send(customer.sessionId, 'Known', { clientMessageId });
    expect(closed.as(postMessageResponseSchema, 200).message).toEqual(message);
    expectError(await anna.send(customer.sessionId, 'Other', { clientMessageId }), 'idempotency_conflict');
    expectError(await anna.send(customer.sessionId, 'New', { expectedSeq: 1 }), 'session_closed');
  });

  test('[MSG7] credentials are checked first, and the form before idempotency', async () => {
    const customer = await chat.customer();
    const json = messageRequest('Known');
    await customer.request('POST', '/messages', { json });
    expectError(await customer.request('POST', '/messages', { json, token: `${customer.token}x` }), 'bad_token');
    expectError(await customer.request('POST', '/messages', { json: { ...json, body: 7 } }), 'validation_failed');
  });
});

describe('history', () => {
  test('[MSG12] [MSG13] pages by before_id and after_id, ascending, with has_more', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    const ids: number[] = [];
    for (let index = 0; index < 7; index += 1) {
      const message =
        index % 2 === 0 ? await customer.post(`m${index}`) : await anna.post(customer.sessionId, `m${index}`);
      ids.push(message.id);
    }
    expect([...ids].sort((a, b) => a - b)).toEqual(ids);
    const page = async (parameters: Record<string, number>) => {
      const answer = await customer.messages(parameters);
      return [answer.messages.map((message) => ids.indexOf(message.id)), answer.has_more];
    };
    expect(await page({})).toEqual([[0, 1, 2, 3, 4, 5, 6], false]);
    expect(await page({ limit: 3 })).toEqual([[4, 5, 6], true]);
    expect(await page({ before_id: ids[4] ?? 0, limit: 3 })).toEqual([[1, 2, 3], true]);
    expect(await page({ before_id: ids[1] ?? 0, limit: 3 })).toEqual([[0], false]);
    expect(await page({ before_id: ids[0] ?? 0, limit: 3 })).toEqual([[], false]);
    expect(await page({ after_id: ids[1] ?? 0, limit: 3 })).toEqual([[2, 3, 4], true]);
    expect(await page({ after_id: ids[4] ?? 0, limit: 3 })).toEqual([[5, 6], false]);
    expect(await page({ after_id: 0 })).toEqual([[0, 1, 2, 3, 4, 5, 6], false]);
    expect((await anna.messages(customer.sessionId, { limit: 2 })).messages.map((message) => message.id)).toEqual(
      ids.slice(5),
    );
  });

  test.each(['0', '501', '-1', '1e3', '1.5', '0x10', 'abc', '', '%201', '10%00', '99999999999999999999'])(
    '[ERR5] limit=%s is 422 on every list',
    async (limit) => {
      const customer = await chat.customer();
      const anna = await chat.staff('anna');
      for (const answer of [
        await customer.request('GET', `/messages?limit=${limit}`),
        await customer.request('GET', `/events?limit=${limit}`),
        await anna.request('GET', `/chat/sessions?limit=${limit}`),
        await anna.request('GET', `/chat/feed?limit=${limit}`),
        await anna.request('GET', `/chat/callbacks?limit=${limit}`),
      ]) {
        expectError(answer, 'validation_failed');
      }
    },
  );

  test('[ERR5] limit 1 and 500 are accepted, a repeated one is not', async () => {
    const customer = await chat.customer();
    for (const limit of [1, 500]) expect((await customer.request('GET', `/messages?limit=${limit}`)).status).toBe(200);
    expectError(await customer.request('GET', '/messages?limit=1&limit=2'), 'validation_failed');
  });

  test.each(['-1', '1.5', 'abc', '9007199254740992', "1'", 'null', '[1]', ''])(
    '[ERR6] a bound of %s is 422',
    async (value) => {
      const customer = await chat.customer();
      for (const name of ['before_id', 'after_id']) {
        expectError(
          await customer.request('GET', `/messages?${name}=${encodeURIComponent(value)}`),
          'validation_failed',
        );
      }
      expectError(await customer.request('GET', `/events?after_seq=${encodeURIComponent(value)}`), 'validation_failed');
    },
  );

  test("[MSG14] one sender's posts keep their order", async () => {
    const customer = await chat.customer();
    const ids: number[] = [];
    for (let index = 0; index < 20; index += 1) ids.push((await customer.post(String(index))).id);
    const { messages } = await customer.messages();
    expect(messages.map((message) => message.id)).toEqual(ids);
    expect(messages.map((message) => message.body)).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
  });
});
