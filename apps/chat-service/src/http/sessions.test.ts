import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  channelTokenResponseSchema,
  createSessionResponseSchema,
  eventsResponseSchema,
  messagesResponseSchema,
  postMessageResponseSchema,
  readResponseSchema,
  sessionSchema,
  staffSessionSchema,
  streamLinkResponseSchema,
} from '@chat-realtime/protocol';
import { KeyRing, signChannelToken, verifyStreamLink } from '@chat-realtime/protocol/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest, SITE_KEY } from '../../test/chat-under-test.ts';

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
  it('[SES1] answers session, token and a resume key, and no cache may keep it', async () => {
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

  it('[SES4] with the same resume key gives the same session and does not repeat the message', async () => {
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

  it('[SES4] gives one session however many requests race', async () => {
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
    [{ message: { body: ' ', client_message_id: randomUUID() } }, 'message.body'],
    [{ message: { body: 'x', client_message_id: '1' } }, 'message.client_message_id'],
  ])('[SES3] [ERR4] %j is 422 and says where', async (body, path) => {
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

  it('[ORI5] is refused to a foreign page', async () => {
    const answer = await chat.call('POST', '/chat/session', { body: {}, headers: { origin: 'https://evil.example' } });
    expect([answer.status, answer.code]).toEqual([403, 'origin_not_allowed']);
    expect(
      (await chat.call('POST', '/chat/session', { body: {}, headers: { origin: 'https://shop.example' } })).status,
    ).toBe(201);
  });
});

describe('GET /chat/session/:id', () => {
  it('[SES6] shows a customer his session without contact or attributes, and staff all of it', async () => {
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

  it.each(['0', 'abc', '1.5', '-1', '9007199254740993', '1e3'])('[ERR16] the path id %s names nothing', async (id) => {
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

describe('channel tokens and stream links', () => {
  it('[SES8] a resume key, the site key or nothing else gives a token that is never cached', async () => {
    const { session, resume_key } = await newSession();
    const proofs: Record<string, string>[] = [{ 'x-resume-key': resume_key }, { 'x-site-key': SITE_KEY }];
    for (const headers of proofs) {
      const answer = await chat.call('GET', `/chat/session/${session.id}/channel-token`, { headers });
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
      const { token } = answer.as(channelTokenResponseSchema);
      expect((await chat.call('GET', `/chat/session/${session.id}`, { token })).status).toBe(200);
    }
  });

  it('[SES8] [SES9] [TOK13] [TOK15] everything else is 401', async () => {
    const { session, token } = await newSession();
    const other = await newSession();
    const url = `/chat/session/${session.id}/channel-token`;
    expect((await chat.call('GET', url)).code).toBe('missing_credentials');
    expect((await chat.call('GET', url, { token })).code).toBe('bad_token');
    expect((await chat.call('GET', url, { token: anna })).code).toBe('bad_token');
    expect((await chat.call('GET', url, { headers: { 'x-resume-key': other.resume_key } })).code).toBe(
      'bad_credentials',
    );
    expect((await chat.call('GET', url, { headers: { 'x-resume-key': 'x' } })).code).toBe('bad_credentials');
    expect((await chat.call('GET', url, { headers: { 'x-site-key': `${SITE_KEY}x` } })).code).toBe('bad_credentials');
    expect(
      (await chat.call('GET', '/chat/session/999999/channel-token', { headers: { 'x-site-key': SITE_KEY } })).status,
    ).toBe(404);
    expect(
      (await chat.call('GET', '/chat/session/999999/channel-token', { headers: { 'x-resume-key': other.resume_key } }))
        .status,
    ).toBe(401);
  });

  it('[SES10] [TOK11] a stream link lives an hour unless asked otherwise, at most a day', async () => {
    const { session, token } = await newSession();
    const now = Math.floor(Date.now() / 1_000);
    for (const [body, seconds] of [
      [undefined, 3_600],
      [{ expires_in: 60 }, 60],
      [{ expires_in: 86_400 }, 86_400],
    ] as const) {
      const answer = await chat.call('POST', `/chat/session/${session.id}/stream-link`, { token, body });
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
      const { url } = answer.as(streamLinkResponseSchema);
      expect(url.startsWith(`/chat/${session.id}/stream?sig=`)).toBe(true);
      const verdict = verifyStreamLink(ring, session.id, url.slice(url.indexOf('=') + 1), now);
      expect(verdict.ok && Math.abs(verdict.expiresAt - now - seconds) <= 2).toBe(true);
    }
    expect(
      (await chat.call('POST', `/chat/session/${session.id}/stream-link`, { token, body: { expires_in: 86_401 } }))
        .status,
    ).toBe(422);
    expect((await chat.call('POST', `/chat/session/${session.id}/stream-link`, { token: anna, body: {} })).code).toBe(
      'bad_token',
    );
  });

  it('[REV1] [REV2] revoking ends tokens at once, and the next one works at once', async () => {
    const { session, token, resume_key } = await newSession();
    expect((await chat.call('POST', `/chat/session/${session.id}/revoke`, { token: anna })).status).toBe(204);
    expect((await chat.call('GET', `/chat/session/${session.id}`, { token })).code).toBe('token_revoked');
    const headers = { 'x-resume-key': resume_key };
    const fresh = (await chat.call('GET', `/chat/session/${session.id}/channel-token`, { headers })).as(
      channelTokenResponseSchema,
    );
    expect((await chat.call('GET', `/chat/session/${session.id}`, { token: fresh.token })).status).toBe(200);
    const resumed = (await chat.call('POST', '/chat/session', { body: { resume_key } })).as(
      createSessionResponseSchema,
    );
    expect((await chat.call('GET', `/chat/session/${session.id}`, { token: resumed.token })).status).toBe(200);
    const link = (
      await chat.call('POST', `/chat/session/${session.id}/stream-link`, { token: fresh.token, body: {} })
    ).as(streamLinkResponseSchema);
    expect(Math.round((Date.parse(link.expires_at) - Date.now()) / 1_000)).toBeGreaterThanOrEqual(86_399);
  });
});

describe('messages', () => {
  it('[MSG1] [MSG3] a post is 201, its repetition 200 with the same message', async () => {
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

  it('[MSG3] the header Idempotency-Key stands for client_message_id, and the body wins', async () => {
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

  it('[MSG8] [MSG9] a closed session is reopened by its customer and closed to operators', async () => {
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

  it('[MSG10] [MSG11] an operator is stopped by a colleague, not by the customer', async () => {
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

  it('[MSG12] [ERR5] [ERR6] pages of history', async () => {
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

  it('[RD1] [RD2] a read mark is clamped and never goes back', async () => {
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
