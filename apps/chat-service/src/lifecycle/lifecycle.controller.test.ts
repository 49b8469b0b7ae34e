import { randomUUID } from 'node:crypto';
import {
  createSessionResponseSchema,
  feedResponseSchema,
  noteResponseSchema,
  notesResponseSchema,
  operatorsResponseSchema,
  sessionListResponseSchema,
  sessionResponseSchema,
} from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ChatUnderTest, SITE_KEY } from '../../test/chat-under-test.ts';

let chat: ChatUnderTest;
let anna: string;
let boris: string;
let admin: string;
let narrow: string;

beforeAll(async () => {
  chat = await ChatUnderTest.start();
  [anna, boris, admin, narrow] = await Promise.all([
    chat.staff('anna'),
    chat.staff('boris'),
    chat.staff('chief', { role: 'admin' }),
    chat.staff('narrow', { scope: 'assigned' }),
  ]);
});
afterAll(() => chat.stop());

async function newSession(body: object = {}) {
  return (await chat.call('POST', '/chat/session', { body })).as(createSessionResponseSchema);
}
const act = (token: string, id: number, action: string, body?: object) =>
  chat.call('POST', `/chat/session/${id}/${action}`, { token, body });

describe('assignment', () => {
  it('[ASG1] [ASG2] [ASG3] is claimed once; the other operator learns who won', async () => {
    const { session } = await newSession();
    const answers = await Promise.all([act(anna, session.id, 'assign'), act(boris, session.id, 'assign')]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409]);
    const [winner, loser] = answers[0].status === 200 ? ['anna', answers[1]] : ['boris', answers[0]];
    expect(loser.code).toBe('already_assigned');
    expect(JSON.parse(loser.text).error.details).toMatchObject({
      assigned_user_id: winner,
      assigned_user_name: winner,
    });
    const again = await act(winner === 'anna' ? anna : boris, session.id, 'assign');
    expect(again.as(sessionResponseSchema).session).toMatchObject({ status: 'active', assigned_user_id: winner });
  });

  it('[ASG4] is transferred by the assignee or an admin', async () => {
    const { session } = await newSession();
    await act(anna, session.id, 'assign');
    expect((await act(boris, session.id, 'assign', { user_id: 'boris' })).code).toBe('already_assigned');
    expect(
      (await act(anna, session.id, 'assign', { user_id: 'boris' })).as(sessionResponseSchema).session.assigned_user_id,
    ).toBe('boris');
    expect((await act(admin, session.id, 'assign', { user_id: 'anna' })).status).toBe(200);
    expect((await act(admin, session.id, 'assign', { user_id: ' ' })).status).toBe(422);
  });

  it("[ASG16] to an unknown operator is 422, unless the site's key vouches for them", async () => {
    const { session } = await newSession();
    const give = (headers: Record<string, string> = {}) =>
      chat.call('POST', `/chat/session/${session.id}/assign`, { token: anna, body: { user_id: 'newcomer' }, headers });
    expect((await give()).status).toBe(422);
    expect((await give({ 'x-site-key': `${SITE_KEY}x` })).code).toBe('bad_credentials');
    expect((await chat.operations.findSession(session.id))?.assignedUserId).toBeNull();
    const given = await give({ 'x-site-key': SITE_KEY });
    expect(given.as(sessionResponseSchema).session.assigned_user_id).toBe('newcomer');
    const callback = await chat.call('POST', '/chat/callback', { body: { phone: '+79161234567', consent: true } });
    const { id } = callback.as(z.object({ callback: z.object({ id: z.number() }) })).callback;
    const hand = (assigned_user_id: string) =>
      chat.call('PATCH', `/chat/callbacks/${id}`, { token: anna, body: { assigned_user_id } });
    expect((await hand('nobody')).status).toBe(422);
    expect((await hand('newcomer')).status).toBe(200);
  });

  it('[ASG5] [ASG6] [ASG7] unassign, close and reopen return the session, and can be repeated', async () => {
    const { session } = await newSession();
    await act(anna, session.id, 'assign');
    for (const [action, status] of [
      ['unassign', 'new'],
      ['close', 'closed'],
      ['reopen', 'new'],
    ] as const) {
      for (let repeat = 0; repeat < 2; repeat += 1) {
        const answer = await act(anna, session.id, action);
        expect([action, answer.status, answer.as(sessionResponseSchema).session.status]).toEqual([action, 200, status]);
      }
    }
  });

  it('[ASG8] of a closed session is refused', async () => {
    const { session } = await newSession();
    await act(anna, session.id, 'close');
    expect((await act(anna, session.id, 'assign')).code).toBe('invalid_transition');
  });
});

describe('scope assigned', () => {
  it("[ASG10] hides other operators' sessions everywhere", async () => {
    const { session } = await newSession();
    expect((await chat.call('GET', `/chat/session/${session.id}`, { token: narrow })).status).toBe(200);
    await act(anna, session.id, 'assign');
    for (const path of ['', '/messages', '/events', '/notes']) {
      expect((await chat.call('GET', `/chat/session/${session.id}${path}`, { token: narrow })).code).toBe(
        'session_not_found',
      );
    }
    for (const action of ['assign', 'close', 'revoke', 'unassign', 'reopen'])
      expect([action, (await act(narrow, session.id, action)).code]).toEqual([action, 'session_not_found']);
    const upload = await chat.call('POST', `/chat/session/${session.id}/attachments`, {
      token: narrow,
      raw: 'text',
      headers: { 'content-type': 'text/plain' },
    });
    expect(upload.code).toBe('session_not_found');
    const { sessions } = (await chat.call('GET', '/chat/sessions', { token: narrow })).as(sessionListResponseSchema);
    expect(sessions.map(({ id }) => id)).not.toContain(session.id);
  });

  it('[ASG10] [ASG13] reads in the feed the assignment that took an unassigned chat, and nothing after it', async () => {
    await chat.stamp();
    const { feed_cursor: start } = (await chat.call('GET', '/chat/sessions?limit=1', { token: narrow })).as(
      sessionListResponseSchema,
    );
    const { session } = await newSession({ message: { body: 'вопрос', client_message_id: randomUUID() } });
    await act(anna, session.id, 'assign');
    await act(anna, session.id, 'assign', { user_id: 'boris' });
    await chat.stamp();
    const read = async (token: string) => {
      const page = (await chat.call('GET', `/chat/feed?after=${start}`, { token })).as(feedResponseSchema);
      return page.events.filter(({ session_id: id }) => id === session.id).map(({ type, seq }) => `${seq} ${type}`);
    };
    expect(await read(narrow)).toEqual(['3 chat.session.assigned']);
    expect(await read(await chat.staff('narrow', { scope: 'own' }))).toEqual([]);
    expect(await read(await chat.staff('anna', { scope: 'own' }))).toEqual(['5 chat.session.assigned']);
    expect(await read(await chat.staff('anna', { scope: 'assigned' }))).toEqual(['5 chat.session.assigned']);
  });
});

describe('notes', () => {
  it('[NOTE1] [NOTE2] are written and read only by staff and have no seq', async () => {
    const { session, token } = await newSession();
    const written = await act(anna, session.id, 'notes', { body: 'перезвонить' });
    expect([written.status, written.as(noteResponseSchema).note.author_id]).toEqual([201, 'anna']);
    const { notes } = (await chat.call('GET', `/chat/session/${session.id}/notes`, { token: boris })).as(
      notesResponseSchema,
    );
    expect(notes.map(({ body }) => body)).toEqual(['перезвонить']);
    expect((await act(anna, session.id, 'notes', { body: '  ' })).status).toBe(422);
    expect((await chat.call('GET', `/chat/session/${session.id}/events`, { token })).text).not.toContain('перезвонить');
  });
});

describe('lists', () => {
  it('[INB1] [INB5] the inbox filters, pages and refuses unknown parameters', async () => {
    const { session } = await newSession({
      name: 'Уникальное Имя',
      message: { body: 'про доставку', client_message_id: randomUUID() },
    });
    await chat.stamp();
    const found = (await chat.call('GET', `/chat/sessions?q=${encodeURIComponent('уникальное')}`, { token: anna })).as(
      sessionListResponseSchema,
    );
    expect(found.sessions.map(({ id, unread_count }) => [id, unread_count])).toEqual([[session.id, 1]]);
    const first = (await chat.call('GET', '/chat/sessions?limit=1&sort=created', { token: anna })).as(
      sessionListResponseSchema,
    );
    expect(first.next_page).not.toBeNull();
    const next = await chat.call(
      'GET',
      `/chat/sessions?limit=1&sort=created&page=${encodeURIComponent(first.next_page ?? '')}`,
      { token: anna },
    );
    expect(next.as(sessionListResponseSchema).sessions[0]?.id).toBeLessThan(first.sessions[0]?.id ?? 0);
    for (const query of ['limit=501', 'limit=0', 'sort=name', 'page=nonsense', 'q=%00', 'q=a&q=b']) {
      expect([query, (await chat.call('GET', `/chat/sessions?${query}`, { token: anna })).status]).toEqual([
        query,
        422,
      ]);
    }
  });

  it('[FEED1] [FEED3] the feed is read on from its cursor', async () => {
    await chat.stamp();
    const page = (await chat.call('GET', '/chat/feed?limit=2', { token: anna })).as(feedResponseSchema);
    expect(page.events).toHaveLength(2);
    const rest = (await chat.call('GET', `/chat/feed?after=${page.cursor}`, { token: anna })).as(feedResponseSchema);
    expect(rest.events.length).toBeGreaterThan(0);
    expect((await chat.call('GET', '/chat/feed?after=nonsense', { token: anna })).status).toBe(422);
    expect((await chat.call('GET', '/chat/feed?after=18446744073709551615.1', { token: anna })).status).toBe(409);
  });

  it('[ASG11] operators become known by the tokens they use', async () => {
    const { operators } = (await chat.call('GET', '/chat/operators', { token: anna })).as(operatorsResponseSchema);
    expect(operators.map(({ id }) => id).toSorted()).toEqual(['anna', 'boris', 'chief', 'narrow', 'newcomer']);
    expect(operators.find(({ id }) => id === 'chief')).toMatchObject({ role: 'admin', presence: 'offline' });
  });
});
