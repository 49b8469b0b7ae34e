import { randomUUID } from 'node:crypto';
import { createSessionResponseSchema, identityResponseSchema, staffSessionSchema } from '@chat-realtime/protocol';
import { SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest, IDENTITY_SECRET } from '../../test/chat-under-test.ts';
import { Eraser } from '../privacy/eraser.ts';
import { retentionSweep } from '../privacy/retention.ts';

let chat: ChatUnderTest;
let anna: string;
describe('on postgres', () => {
  beforeAll(async () => {
    chat = await ChatUnderTest.start();
    anna = await chat.staff('anna');
  });
  afterAll(() => chat.stop());

  async function newSession(body: object = {}) {
    return (await chat.call('POST', '/chat/session', { body })).as(createSessionResponseSchema);
  }
  const identify = (body: object) => chat.call('POST', '/chat/identity', { body });

  describe('signed-in customers', () => {
    it('[IDN1] a customer without chats has none', async () => {
      const answer = await identify({ identity_token: await chat.identity('nobody') });
      expect([answer.status, answer.headers['cache-control']]).toEqual([200, 'no-store']);
      const body = answer.as(identityResponseSchema);
      expect(body).toEqual({ sessions: [], expires_at: body.expires_at });
      expect(Date.parse(body.expires_at)).toBeGreaterThan(Date.now());
    });

    it('[IDN1] [IDN2] [IDN7] an anonymous chat becomes theirs and is available on another device', async () => {
      const { session, token } = await newSession({
        name: 'Гость',
        message: { body: 'x', client_message_id: randomUUID() },
      });
      const identity_token = await chat.identity('c1', { name: 'Мария', email: 'm@example.org' });
      for (let repeat = 0; repeat < 2; repeat += 1) {
        const answer = (await identify({ identity_token, token, session_id: session.id })).as(identityResponseSchema);
        expect(answer.session?.id).toBe(session.id);
        expect(answer.sessions.map(({ id }) => id)).toEqual([session.id]);
      }
      const elsewhere = (await identify({ identity_token })).as(identityResponseSchema);
      expect((await chat.call('GET', `/chat/session/${session.id}`, { token: elsewhere.token })).status).toBe(200);
      const seen = (await chat.call('GET', `/chat/session/${session.id}`, { token: anna })).as(staffSessionSchema);
      expect(seen).toMatchObject({ customer_id: 'c1', contact: { name: 'Мария', email: 'm@example.org' } });
      const headers = { authorization: `Bearer ${identity_token}` };
      expect((await chat.call('GET', `/chat/session/${session.id}/channel-token`, { headers })).status).toBe(200);
      const stranger = { authorization: `Bearer ${await chat.identity('c2')}` };
      expect((await chat.call('GET', `/chat/session/${session.id}/channel-token`, { headers: stranger })).code).toBe(
        'bad_token',
      );
    });

    it("[IDN3] another customer's chat is not taken over", async () => {
      const { session, token } = await newSession();
      await identify({ identity_token: await chat.identity('c3'), token, session_id: session.id });
      const other = await chat.identity('c4');
      expect((await identify({ identity_token: other, token, session_id: session.id })).code).toBe('forbidden');
      const wrong = await newSession();
      expect((await identify({ identity_token: other, token: wrong.token, session_id: session.id })).code).toBe(
        'bad_token',
      );
      expect((await identify({ identity_token: other, session_id: session.id })).code).toBe('bad_token');
      expect((await identify({ identity_token: other })).as(identityResponseSchema).sessions).toEqual([]);
    });

    it('[IDN4] chats that the site vouches for become theirs unless they belong to someone', async () => {
      const [free, taken] = [await newSession(), await newSession()];
      await identify({ identity_token: await chat.identity('c5'), token: taken.token, session_id: taken.session.id });
      const claims = { sessions: [free.session.id, taken.session.id, 999_999] };
      const answer = (await identify({ identity_token: await chat.identity('c6', claims) })).as(identityResponseSchema);
      expect(answer.sessions.map(({ id }) => id)).toEqual([free.session.id]);
    });

    it('[IDN1] the newest open chat is resumed; with only closed ones none is', async () => {
      const chats = [await newSession(), await newSession()];
      const claims = { sessions: chats.map(({ session }) => session.id) };
      const close = (index: number) =>
        chat.call('POST', `/chat/session/${chats[index]?.session.id}/close`, { token: anna });
      await close(1);
      const first = (await identify({ identity_token: await chat.identity('c7', claims) })).as(identityResponseSchema);
      expect(first.session?.id).toBe(chats[0]?.session.id);
      await close(0);
      const second = (await identify({ identity_token: await chat.identity('c7') })).as(identityResponseSchema);
      expect([second.sessions.length, second.session, second.token]).toEqual([2, undefined, undefined]);
    });

    it('[IDN10] erased contact data does not return with the next page view, but with the next message', async () => {
      const root = await chat.staff('root', { role: 'admin' });
      const [open, closed] = [await newSession(), await newSession()];
      const ids = [open.session.id, closed.session.id];
      const identity_token = await chat.identity('c11', { name: 'Мария', email: 'm@example.org', sessions: ids });
      await identify({ identity_token });
      const contacts = () =>
        Promise.all(
          ids.map(async (id) => {
            const row = (await chat.call('GET', `/chat/session/${id}`, { token: anna })).as(staffSessionSchema);
            return [row.contact.name, row.contact.email, row.current_page_url];
          }),
        );
      expect(await contacts()).toEqual(ids.map(() => ['Мария', 'm@example.org', null]));
      await chat.call('POST', `/chat/session/${closed.session.id}/close`, { token: anna });
      for (const id of ids) await chat.call('POST', `/chat/session/${id}/erase`, { token: root, body: {} });
      const nothing = [null, null, null];
      const answer = (await identify({ identity_token, session_id: open.session.id })).as(identityResponseSchema);
      const path = `/chat/session/${open.session.id}`;
      const page = { page_url: 'https://shop.example/cart' };
      expect((await chat.call('POST', `${path}/page`, { token: answer.token, body: page })).status).toBe(204);
      expect(await contacts()).toEqual([nothing, nothing]);
      // An anonymous chat that was erased becomes theirs unchanged.
      const guest = await newSession({ name: 'Гость' });
      await chat.call('POST', `/chat/session/${guest.session.id}/erase`, { token: root, body: {} });
      await identify({ identity_token, session_id: guest.session.id, token: guest.token });
      const given = await chat.call('GET', `/chat/session/${guest.session.id}`, { token: anna });
      expect(given.as(staffSessionSchema)).toMatchObject({ customer_id: 'c11', contact: { name: null, email: null } });
      const body = { body: 'Снова я', client_message_id: randomUUID() };
      await chat.call('POST', `${path}/messages`, { token: answer.token, body });
      await identify({ identity_token });
      await chat.call('POST', `${path}/page`, { token: answer.token, body: page });
      expect(await contacts()).toEqual([['Мария', 'm@example.org', page.page_url], nothing]);
    });

    it('[IDN10] [RET1] nor does contact data that retention removed', async () => {
      const { session } = await newSession();
      const identity_token = await chat.identity('c12', { name: 'Пётр', sessions: [session.id] });
      await identify({ identity_token });
      const old = new Date(Date.now() - 40 * 86_400_000);
      await chat.database.kysely
        .updateTable('chat_session')
        .set({ updated_at: old })
        .where('id', '=', session.id)
        .execute();
      const eraser = new Eraser(chat.database, chat.context, chat.chat.attachments);
      const days = { messages: 0, files: 0, contacts: 30, callbacks: 0 };
      const name = async () =>
        (await chat.call('GET', `/chat/session/${session.id}`, { token: anna })).as(staffSessionSchema).contact.name;
      expect(await name()).toBe('Пётр');
      await retentionSweep(eraser, chat.chat.attachments, () => days).run();
      expect(await name()).toBeNull();
      await identify({ identity_token });
      expect(await name()).toBeNull();
    });

    it('[IDN6] [REV1] logout ends the tokens of all their chats', async () => {
      const { session, token } = await newSession();
      const identity_token = await chat.identity('c8');
      await identify({ identity_token, token, session_id: session.id });
      expect((await chat.call('POST', '/chat/identity/logout', { body: { identity_token } })).status).toBe(204);
      expect((await chat.call('GET', `/chat/session/${session.id}`, { token })).code).toBe('token_revoked');
      const again = (await identify({ identity_token })).as(identityResponseSchema);
      expect((await chat.call('GET', `/chat/session/${session.id}`, { token: again.token })).status).toBe(200);
    });

    it('[TOK23] [IDN8] a chat that became theirs is opened only by identity', async () => {
      const { session, token, resume_key } = await newSession();
      const url = `/chat/session/${session.id}/channel-token`;
      const headers = { 'x-resume-key': resume_key };
      expect((await chat.call('GET', url, { headers })).status).toBe(200);
      const identity_token = await chat.identity('c10');
      await identify({ identity_token, token, session_id: session.id });
      expect((await chat.call('GET', url, { headers })).code).toBe('bad_credentials');
      expect((await chat.call('POST', '/chat/session', { body: { resume_key } })).code).toBe('bad_credentials');
      await chat.call('POST', '/chat/identity/logout', { body: { identity_token } });
      expect((await chat.call('GET', url, { headers })).code).toBe('bad_credentials');
      const vouched = await newSession();
      await identify({ identity_token: await chat.identity('c10', { sessions: [vouched.session.id] }) });
      const { resume_key: old } = vouched;
      expect((await chat.call('POST', '/chat/session', { body: { resume_key: old } })).code).toBe('bad_credentials');
      expect((await chat.call('GET', url, { token: await chat.identity('c10') })).status).toBe(200);
    });

    it('[IDN6] logout reaches every chat, however many there are', async () => {
      const rows = await chat.database.kysely
        .insertInto('chat_session')
        .values(Array.from({ length: 120 }, () => ({ attributes: '{}', customer_id: 'many' })))
        .returning('id')
        .execute();
      const identity_token = await chat.identity('many');
      await chat.call('POST', '/chat/identity/logout', { body: { identity_token } });
      const revoked = await chat.database.kysely
        .selectFrom('chat_session')
        .select('id')
        .where('customer_id', '=', 'many')
        .where('revoked_at', 'is not', null)
        .execute();
      expect(revoked).toHaveLength(rows.length);
    });

    it('[IDN9] a refused request takes over nothing', async () => {
      const [free, taken] = [await newSession(), await newSession()];
      await identify({ identity_token: await chat.identity('c11'), token: taken.token, session_id: taken.session.id });
      const identity_token = await chat.identity('c12', { sessions: [free.session.id] });
      expect((await identify({ identity_token, session_id: taken.session.id })).code).toBe('bad_token');
      expect((await chat.operations.findSession(free.session.id))?.customerId).toBeNull();
    });

    it('[IDN5] [TOK16] bad input is refused', async () => {
      const { session, token } = await newSession();
      const identity_token = await chat.identity('c9');
      expect((await identify({ identity_token, token })).status).toBe(422);
      expect((await identify({})).status).toBe(422);
      const make = (claims: object, seconds: number, secret = IDENTITY_SECRET, audience = 'chat') =>
        new SignJWT({ ...claims })
          .setProtectedHeader({ alg: 'HS256' })
          .setSubject('c9')
          .setAudience(audience)
          .setIssuedAt()
          .setExpirationTime(Math.floor(Date.now() / 1_000) + seconds)
          .sign(Buffer.from(secret));
      expect((await identify({ identity_token: await make({}, 700) })).code).toBe('bad_token');
      expect((await identify({ identity_token: await make({}, 60, 'x'.repeat(32)) })).code).toBe('bad_token');
      expect((await identify({ identity_token: await make({}, 60, IDENTITY_SECRET, 'other') })).code).toBe('bad_token');
      expect((await identify({ identity_token: 'x.y.z' })).code).toBe('bad_token');
      expect((await identify({ identity_token: token, token, session_id: session.id })).code).toBe('bad_token');
      expect((await chat.call('POST', '/chat/identity/logout', { body: { identity_token: 'x' } })).code).toBe(
        'bad_token',
      );
    });
  });
});
