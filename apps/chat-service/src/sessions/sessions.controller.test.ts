import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  createSessionResponseSchema,
  eventsResponseSchema,
  sessionSchema,
  staffSessionSchema,
} from '@chat-realtime/protocol';
import { KeyRing, signChannelToken } from '@chat-realtime/protocol/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest } from '../../test/chat-under-test.ts';

let chat: ChatUnderTest;
let anna: string;
const ring = KeyRing.parse(`k1:${CHANNEL_SECRET}`);

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

function fieldsOf(text: string): string[] {
  const found: unknown = JSON.parse(text);
  return [...JSON.stringify(found).matchAll(/"path":"([^"]*)"/g)].map(([, path]) => path ?? '');
}
describe('POST /chat/session', () => {
  it('[SES1] returns session, token and a resume key, and must not be cached', async () => {
    const answer = await chat.call('POST', '/chat/session', { body: {} });
    expect(answer.status).toBe(201);
    expect(answer.headers['cache-control']).toBe('no-store');
    const { session, token, resume_key, message } = answer.as(createSessionResponseSchema);
    expect(session).toMatchObject({ status: 'new', assigned_user_id: null, last_seq: 1 });
    expect(resume_key).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(message).toBeUndefined();
    expect((await chat.call('GET', `/chat/session/${session.id}`, { token })).status).toBe(200);
  });

  it('[SES2] stores a first message with the session as seq 2', async () => {
    const { session, token, message } = await newSession({
      message: { body: 'Здравствуйте', client_message_id: randomUUID() },
    });
    expect(session.last_seq).toBe(2);
    const { events } = (await chat.call('GET', `/chat/session/${session.id}/events`, { token })).as(
      eventsResponseSchema,
    );
    expect(events.map(({ seq, type }) => `${seq} ${type}`)).toEqual(['1 chat.session.created', '2 chat.message']);
    expect(message).toMatchObject({ body: 'Здравствуйте', sender_type: 'client' });
  });

  it('[SES4] returns the same session for the same resume key and does not repeat the message', async () => {
    const body = {
      resume_key: randomBytes(32).toString('base64url'),
      message: { body: 'раз', client_message_id: randomUUID() },
    };
    const first = await newSession(body);
    const again = await chat.call('POST', '/chat/session', { body: { ...body, name: 'ignored' } });
    expect(again.status).toBe(200);
    const second = again.as(createSessionResponseSchema);
    expect(second.session.id).toBe(first.session.id);
    expect(second.message?.id).toBe(first.message?.id);
    expect(second.session.last_seq).toBe(2);
  });

  it('[SES4] creates one session, however many requests race', async () => {
    const body = { resume_key: randomBytes(32).toString('base64url') };
    const answers = await Promise.all(Array.from({ length: 8 }, () => chat.call('POST', '/chat/session', { body })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    expect(new Set(answers.map((answer) => answer.as(createSessionResponseSchema).session.id)).size).toBe(1);
  });

  it.each([
    [{ resume_key: 'short' }, 'resume_key'],
    [{ email: 'no mail' }, 'email'],
    [{ page_url: 'javascript:alert(1)' }, 'page_url'],
    [{ name: 'a\u0000b' }, 'name'],
    [{ name: '\ud800' }, 'name'],
    [{ name: 5 }, 'name'],
    [{ attributes: { a: { b: 1 } } }, 'attributes.a'],
    [
      { attributes: Object.fromEntries(Array.from({ length: 9 }, (_, n) => [`k${n}`, 'x'.repeat(1_000)])) },
      'attributes',
    ],
    [{ message: { body: ' ', client_message_id: randomUUID() } }, 'message.body'],
    [{ message: { body: 'x', client_message_id: '1' } }, 'message.client_message_id'],
  ])('[SES3] [SES14] [ERR4] %.80j is 422, and the response says where', async (body, path) => {
    const answer = await chat.call('POST', '/chat/session', { body });
    expect([answer.status, answer.code]).toEqual([422, 'validation_failed']);
    expect(fieldsOf(answer.text)).toContain(path);
  });

  it.each([
    ['{"name":', 400, 'malformed_request'],
    [Buffer.from([0x7b, 0xff, 0x7d]), 400, 'malformed_request'],
    ['[]', 422, 'validation_failed'],
    ['"text"', 422, 'validation_failed'],
    [`{"name":"${'x'.repeat(262_144)}"}`, 413, 'payload_too_large'],
  ])('[ERR3] [ERR7] a body like %.20s is %i', async (raw, status, code) => {
    const answer = await chat.call('POST', '/chat/session', { raw, headers: { 'content-type': 'application/json' } });
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it('[ORI5] is refused for a foreign page', async () => {
    const answer = await chat.call('POST', '/chat/session', { body: {}, headers: { origin: 'https://evil.example' } });
    expect([answer.status, answer.code]).toEqual([403, 'origin_not_allowed']);
    expect(
      (await chat.call('POST', '/chat/session', { body: {}, headers: { origin: 'https://shop.example' } })).status,
    ).toBe(201);
  });
});

describe('GET /chat/session/:id', () => {
  it('[SES6] shows a customer their session without contact or attributes, and staff all of it', async () => {
    const { session, token } = await newSession({ name: 'Иван', phone: '+7 999', attributes: { plan: 'pro' } });
    const own = await chat.call('GET', `/chat/session/${session.id}`, { token });
    expect(Object.keys(own.as(sessionSchema.loose())).toSorted()).toEqual(
      [
        'assigned_user_id',
        'assigned_user_name',
        'callback_pending',
        'created_at',
        'id',
        'last_seq',
        'status',
        'version',
      ].toSorted(),
    );
    const seen = (await chat.call('GET', `/chat/session/${session.id}`, { token: anna })).as(staffSessionSchema);
    expect(seen).toMatchObject({ contact: { name: 'Иван', phone: '+7 999' }, attributes: { plan: 'pro' } });
  });

  it("[SES11] [TOK3] refuses another session's token, whether that session exists or not", async () => {
    const { session, token } = await newSession();
    const other = await newSession();
    for (const id of [other.session.id, 999_999]) {
      for (const path of ['', '/messages', '/events']) {
        expect((await chat.call('GET', `/chat/session/${id}${path}`, { token })).code).toBe('bad_token');
      }
    }
    expect((await chat.call('GET', `/chat/session/${session.id}`, { token })).status).toBe(200);
  });

  it('[ERR13] an unknown session is 404 for staff and 401 for a well-signed customer token', async () => {
    expect((await chat.call('GET', '/chat/session/999999', { token: anna })).code).toBe('session_not_found');
    const token = signChannelToken(ring, 999_999, Math.floor(Date.now() / 1_000));
    expect((await chat.call('GET', '/chat/session/999999', { token })).code).toBe('bad_token');
    expect(
      (
        await chat.call('POST', '/chat/session/999999/messages', {
          token,
          body: { body: 'x', client_message_id: randomUUID() },
        })
      ).code,
    ).toBe('bad_token');
    expect((await chat.call('POST', '/chat/session/999999/stream-link', { token, body: {} })).code).toBe('bad_token');
  });

  it.each(['0', 'abc', '1.5', '-1', '9007199254740993', '1e3'])('[ERR16] the path id %s is not found', async (id) => {
    expect((await chat.call('GET', `/chat/session/${id}`, { token: anna })).status).toBe(404);
    const { token } = await newSession();
    expect((await chat.call('GET', `/chat/session/${id}`, { token })).status).toBe(401);
  });

  it('[TOK12] accepts a token made by PHP', async () => {
    const { session } = await newSession();
    const created = Math.floor(Date.now() / 1_000);
    const php = `[$id, $t, $secret] = array_slice($argv, 1); echo 'k1.'.$t.'.'.rtrim(strtr(base64_encode(hash_hmac('sha256', "chat-channel\\n$id\\n$t", $secret, true)), '+/', '-_'), '=');`;
    const token = execFileSync('php', ['-r', php, '--', String(session.id), String(created), CHANNEL_SECRET], {
      encoding: 'utf8',
    });
    expect((await chat.call('GET', `/chat/session/${session.id}`, { token })).status).toBe(200);
  });
});
