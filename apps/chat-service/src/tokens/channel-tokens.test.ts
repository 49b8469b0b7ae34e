import { randomBytes, randomUUID } from 'node:crypto';
import {
  channelTokenResponseSchema,
  createSessionResponseSchema,
  streamLinkResponseSchema,
} from '@chat-realtime/protocol';
import { KeyRing, verifyStreamLink } from '@chat-realtime/protocol/tokens';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHANNEL_SECRET, ChatUnderTest, SITE_KEY } from '../../test/chat-under-test.ts';
import type { StaffActor } from '../actors.ts';
import { ChannelCredentials } from './channel-credentials.ts';

const ADMIN: StaffActor = { kind: 'staff', userId: 'root', name: null, role: 'admin', scope: 'all' };
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

describe('channel tokens and stream links', () => {
  it('[SES8] a resume key or the site key, and nothing else, gets a token, which is never cached', async () => {
    const { session, resume_key } = await newSession();
    const proofs: Record<string, string>[] = [{ 'x-resume-key': resume_key }, { 'x-site-key': SITE_KEY }];
    for (const headers of proofs) {
      const answer = await chat.call('GET', `/chat/session/${session.id}/channel-token`, { headers });
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
      const { token } = answer.as(channelTokenResponseSchema);
      expect((await chat.call('GET', `/chat/session/${session.id}`, { token })).status).toBe(200);
    }
  });

  it('[SES8] [SES9] [TOK13] [TOK15] all other credentials are 401', async () => {
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

  it('[SES10] [TOK11] a stream link is valid for an hour unless requested otherwise, at most a day', async () => {
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

  it('[REV1] [REV2] a revocation ends tokens at once, and the next token works at once', async () => {
    const { session, token } = await newSession();
    const url = `/chat/session/${session.id}`;
    expect((await chat.call('POST', `${url}/revoke`, { token: anna })).status).toBe(204);
    expect((await chat.call('GET', url, { token })).code).toBe('token_revoked');
    const headers = { 'x-site-key': SITE_KEY };
    const fresh = (await chat.call('GET', `${url}/channel-token`, { headers })).as(channelTokenResponseSchema);
    expect((await chat.call('GET', url, { token: fresh.token })).status).toBe(200);
    const link = (await chat.call('POST', `${url}/stream-link`, { token: fresh.token, body: {} })).as(
      streamLinkResponseSchema,
    );
    expect(Math.round((Date.parse(link.expires_at) - Date.now()) / 1_000)).toBeGreaterThanOrEqual(86_399);
  });

  it('[TOK23] a revocation ends a resume key permanently, and its hash is kept', async () => {
    const { session, resume_key } = await newSession();
    const url = `/chat/session/${session.id}`;
    const headers = { 'x-resume-key': resume_key };
    expect((await chat.call('GET', `${url}/channel-token`, { headers })).status).toBe(200);
    await chat.call('POST', `${url}/revoke`, { token: anna });
    const again = await chat.call('GET', `${url}/channel-token`, { headers });
    expect([again.status, again.code]).toEqual([401, 'bad_credentials']);
    const message = { body: 'still me', client_message_id: randomUUID() };
    for (const body of [{ resume_key }, { resume_key, message }]) {
      const resumed = await chat.call('POST', '/chat/session', { body });
      expect([resumed.status, resumed.code]).toEqual([401, 'bad_credentials']);
    }
    expect((await chat.operations.findSession(session.id))?.lastSeq).toBe(1);
    const begun = await newSession({ message });
    expect(begun.session.id).not.toBe(session.id);
    expect(begun.message?.body).toBe('still me');
  });

  it('[REV1] a second revocation in the same second ends the token issued in between', async () => {
    const { session } = await newSession();
    const headers = { 'x-site-key': SITE_KEY };
    const url = `/chat/session/${session.id}`;
    for (let round = 0; round < 3; round += 1) {
      const { token } = (await chat.call('GET', `${url}/channel-token`, { headers })).as(channelTokenResponseSchema);
      expect((await chat.call('GET', url, { token })).status).toBe(200);
      expect((await chat.call('POST', `${url}/revoke`, { token: anna })).status).toBe(204);
      expect((await chat.call('GET', url, { token })).code).toBe('token_revoked');
    }
  });

  it('[REV6] a credential is dated to the moment its right was checked, however late the response is', () => {
    let now = 1_000;
    const credentials = new ChannelCredentials(
      ring,
      () => 86_400,
      () => now,
    );
    const asOf = credentials.now();
    now += 5;
    const { token } = credentials.token({ id: 7, revokedAt: null }, asOf);
    expect(token.split('.')[1]).toBe('1000');
    expect(credentials.token({ id: 7, revokedAt: 1_003 }, asOf).token.split('.')[1]).toBe('1004');
    const { expires_at } = credentials.streamLink({ id: 7, revokedAt: null }, asOf, 60);
    expect(Date.parse(expires_at)).toBe(1_060_000);
  });

  it('[SES10] a stream link contains the path below which a proxy serves the chat', () => {
    const below = new ChannelCredentials(
      ring,
      () => 86_400,
      () => 1_000,
      '/support',
    );
    const subject = { id: 7, revokedAt: null };
    const [plain, prefixed] = [
      new ChannelCredentials(
        ring,
        () => 86_400,
        () => 1_000,
      ),
      below,
    ].map((credentials) => credentials.streamLink(subject, 1_000).url);
    expect(prefixed).toBe(`/support${plain}`);
    expect(plain).toMatch(/^\/chat\/7\/stream\?sig=/);
  });

  it('[REV6] a revoked token gets no newer one while its revocation is still on its way to the verifier', async () => {
    const { session, token } = await newSession();
    // Written directly, not through the service's route, so that its verifier does not know of it yet.
    await chat.operations.revoke(ADMIN, session.id);
    const link = await chat.call('POST', `/chat/session/${session.id}/stream-link`, { token, body: {} });
    expect([link.status, link.code]).toEqual([401, 'token_revoked']);
    const identity_token = await chat.identity('late');
    const taken = await chat.call('POST', '/chat/identity', {
      body: { identity_token, token, session_id: session.id },
    });
    expect([taken.status, taken.code]).toEqual([401, 'token_revoked']);
    expect((await chat.operations.findSession(session.id))?.customerId).toBeNull();
  });

  it('[TOK14] a resume key made by the client is accepted, and only its hash is stored', async () => {
    const resume_key = randomBytes(32).toString('base64url');
    const { session } = await newSession({ resume_key });
    const row = await chat.database.kysely
      .selectFrom('chat_session')
      .selectAll()
      .where('id', '=', session.id)
      .executeTakeFirstOrThrow();
    expect(row.resume_key_hash).not.toBeNull();
    expect(JSON.stringify(row)).not.toContain(resume_key);
    const headers = { 'x-resume-key': resume_key };
    expect((await chat.call('GET', `/chat/session/${session.id}/channel-token`, { headers })).status).toBe(200);
  });
});
