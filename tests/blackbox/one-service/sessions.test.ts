import { randomBytes, randomUUID } from 'node:crypto';
import { createSessionResponseSchema, staffSessionSchema } from '@chat-realtime/protocol';
import { describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError } from '../../support/expect-error.ts';

const chat = await useChat('main');
const newKey = (): string => randomBytes(32).toString('base64url');

describe('POST /chat/session', () => {
  test('[SES1] [SES2] an empty request starts an unassigned session with seq 1', async () => {
    const answer = await chat.http.post('/chat/session', { json: {} });
    const created = answer.as(createSessionResponseSchema, 201);
    expect(answer.header('cache-control')).toContain('no-store');
    expect(created.session).toMatchObject({
      status: 'new',
      assigned_user_id: null,
      last_seq: 1,
      callback_pending: false,
    });
    expect(created.resume_key).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(created.message).toBeUndefined();
    expect(Date.parse(created.expires_at)).toBeGreaterThan(Date.now() + 86_000_000);
  });

  test('[SES2] a first message is stored with the session, as seq 2', async () => {
    const id = randomUUID();
    const answer = await chat.http.post('/chat/session', {
      json: { name: 'Ann', message: { body: 'First!', client_message_id: id } },
    });
    const created = answer.as(createSessionResponseSchema, 201);
    expect(created.message).toMatchObject({
      body: 'First!',
      sender_type: 'client',
      client_message_id: id,
      attachments: [],
    });
    expect(created.session.last_seq).toBe(2);
    const events = await chat.http.get(`/chat/session/${created.session.id}/events`, { token: created.token });
    expect(events.text).toContain('First!');
  });

  test('[SES3] accepts every optional field, and null for each', async () => {
    const full = {
      name: 'Ānna Ж. 😀',
      email: 'ann@example.com',
      phone: '+49 170 1234567',
      locale: 'de-DE',
      page_url: 'https://shop.example/p?x=1',
      attributes: { plan: 'pro', orders: 3, vip: true, note: null },
      consent: { version: '2026-01', accepted: true },
    };
    const created = (await chat.http.post('/chat/session', { json: full })).as(createSessionResponseSchema, 201);
    const anna = await chat.staff('anna');
    const row = (await anna.request('GET', `/chat/session/${created.session.id}`)).as(staffSessionSchema.partial());
    expect(row).toMatchObject({
      contact: { name: full.name, email: full.email },
      locale: 'de-DE',
      page_url: full.page_url,
      attributes: full.attributes,
    });
    const empty = Object.fromEntries(Object.keys(full).map((key) => [key, null]));
    expect((await chat.http.post('/chat/session', { json: empty })).status).toBe(201);
    expect((await chat.http.post('/chat/session', { json: { consent: true } })).status).toBe(201);
  });

  test.each([
    ['name', { name: 7 }],
    ['name', { name: 'x'.repeat(201) }],
    ['name', { name: { $ne: null } }],
    ['email', { email: 'no mail' }],
    ['email', { email: ['a@b.c'] }],
    ['phone', { phone: 'x'.repeat(65) }],
    ['locale', { locale: 'x'.repeat(36) }],
    ['page_url', { page_url: 'javascript:alert(1)' }],
    ['page_url', { page_url: 'data:text/html,x' }],
    ['attributes', { attributes: [1] }],
    ['attributes', { attributes: 'text' }],
    ['attributes.a', { attributes: { a: { b: 1 } } }],
    ['attributes', { attributes: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`k${i}`, i])) }],
    ['consent', { consent: 'yes' }],
    ['resume_key', { resume_key: 'short' }],
    ['resume_key', { resume_key: `${'a'.repeat(42)}=` }],
    ['resume_key', { resume_key: 'a'.repeat(44) }],
    ['message.client_message_id', { message: { body: 'x', client_message_id: 'no-uuid' } }],
    ['message.body', { message: { body: ' \n\t ', client_message_id: randomUUID() } }],
    ['message', { message: 'text' }],
  ])('[SES3] [SES5] [ERR4] a bad %s is 422: %j', async (path, json) => {
    const answer = await chat.http.post('/chat/session', { json });
    const error = expectError(answer, 'validation_failed');
    expect(JSON.stringify(error.details)).toContain(path.split('.')[0]);
  });

  test('[SES4] the same resume_key gives the same session, other fields are ignored', async () => {
    const resume_key = newKey();
    const first = (await chat.http.post('/chat/session', { json: { resume_key, name: 'One' } })).as(
      createSessionResponseSchema,
      201,
    );
    expect(first.resume_key).toBe(resume_key);
    const again = await chat.http.post('/chat/session', { json: { resume_key, name: 'Two' } });
    const second = again.as(createSessionResponseSchema, 200);
    expect(second.session.id).toBe(first.session.id);
    expect((await chat.http.get(`/chat/session/${first.session.id}`, { token: second.token })).status).toBe(200);
    const anna = await chat.staff('anna');
    expect((await anna.row(first.session.id)).contact.name).toBe('One');
  });

  test('[SES4] [MSG3] a repeated creation with its message stores it once', async () => {
    const json = { resume_key: newKey(), message: { body: 'Hello', client_message_id: randomUUID() } };
    const first = (await chat.http.post('/chat/session', { json })).as(createSessionResponseSchema, 201);
    const second = (await chat.http.post('/chat/session', { json })).as(createSessionResponseSchema, 200);
    expect(second.message).toEqual(first.message);
    expect(second.session.last_seq).toBe(2);
    const third = { ...json, message: { body: 'More', client_message_id: randomUUID() } };
    const more = (await chat.http.post('/chat/session', { json: third })).as(createSessionResponseSchema, 200);
    expect(more.session.id).toBe(first.session.id);
    expect(more.message?.body).toBe('More');
    const conflict = await chat.http.post('/chat/session', {
      json: { ...json, message: { ...json.message, body: 'Changed' } },
    });
    expectError(conflict, 'idempotency_conflict');
  });

  test('[SES4] racing creations with one key make one session and one message', async () => {
    const json = { resume_key: newKey(), message: { body: 'Race', client_message_id: randomUUID() } };
    const answers = await Promise.all(Array.from({ length: 12 }, () => chat.http.post('/chat/session', { json })));
    const parsed = answers.map((answer) => answer.as(createSessionResponseSchema, 200, 201));
    expect(new Set(parsed.map((answer) => answer.session.id)).size).toBe(1);
    expect(new Set(parsed.map((answer) => answer.message?.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(1);
    const first = parsed[0];
    const events = await chat.http.get(`/chat/session/${first?.session.id}/events`, { token: first?.token });
    expect(events.text.match(/"Race"/g)).toHaveLength(1);
  });

  test('[SES1] sessions without a key are never the same', async () => {
    const many = await Promise.all(Array.from({ length: 10 }, () => chat.customer()));
    expect(new Set(many.map((one) => one.sessionId)).size).toBe(10);
    expect(new Set(many.map((one) => one.resumeKey)).size).toBe(10);
  });
});

describe('GET /chat/session/:id', () => {
  test('[SES6] the customer sees their session without contact or attributes, staff see them', async () => {
    const customer = await chat.customer({
      name: 'Visible Name',
      email: 'v@example.com',
      attributes: { secret: 'internal-7' },
    });
    const own = await customer.request('GET', '');
    for (const hidden of ['Visible Name', 'v@example.com', 'internal-7', 'attributes', 'unread'])
      expect(own.text).not.toContain(hidden);
    const staff = await (await chat.staff('anna')).request('GET', customer.path);
    const full = staff.as(staffSessionSchema);
    expect(full.contact.name).toBe('Visible Name');
    expect(full.attributes).toEqual({ secret: 'internal-7' });
  });

  test('[SES7] version rises with every change', async () => {
    const customer = await chat.customer();
    const anna = await chat.staff('anna');
    let last = (await customer.session()).version;
    const changes = [
      () => customer.post('one'),
      () => anna.act(customer.sessionId, 'assign'),
      () => anna.post(customer.sessionId, 'two'),
      () => anna.act(customer.sessionId, 'close'),
      () => anna.act(customer.sessionId, 'reopen'),
    ];
    for (const change of changes) {
      await change();
      const { version } = await customer.session();
      expect(version).toBeGreaterThan(last);
      last = version;
    }
  });
});
