import { expect, it } from 'vitest';
import { begun } from '../../test/running.ts';
import { createStaffClient } from './client.ts';

/** A customer with one message, and a console that shows their chat. */
async function marksUnderTest() {
  const { world, client } = await begun();
  const { server } = world;
  const reads: string[] = [];
  server.hooks.onRequest = ({ method, path, headers }) => {
    if (method !== 'GET' || !headers['authorization']?.includes('staff.')) return undefined;
    const found = server.sessions.get(1);
    if (found === undefined) throw new Error('the session was not made');
    if (path === '/chat/session/1/messages')
      return { status: 200, body: { messages: found.messages, has_more: false } };
    if (path === '/chat/session/1/notes') return { status: 200, body: { notes: [], has_more: false } };
    if (path !== '/chat/session/1') return undefined;
    reads.push(path);
    const { delivered_id: client_last_seen_id, read_id: client_read_id } = found.marks.client;
    const staff_read_id = found.marks.staff.read_id;
    return { status: 200, body: { ...found.session, client_last_seen_id, client_read_id, staff_read_id } };
  };
  const operator = createStaffClient({
    baseUrl: 'http://fake',
    tabs: false,
    environment: world.tab('console').environment,
    getToken: () => Promise.resolve(server.staffToken('anna')),
  });
  operator.connect();
  await world.advance(1_000);
  const conversation = operator.conversation(1);
  await world.advance(1_000);
  expect(conversation.getState().history.loaded).toBe(true);
  return { world, client, operator, conversation, reads };
}

it('[RD7] repairs a lost read mark of the customer once the console is connected again', async () => {
  const { world, client, operator, conversation, reads } = await marksUnderTest();
  const answer = world.server.answer(1, 'answer');
  await world.advance(500);
  world.gateway.livePath.passage = () => ({ copies: 0, delayMs: 0 });
  client.markRead();
  await world.advance(5_000);
  world.gateway.livePath.passage = () => ({ copies: 1, delayMs: 0 });
  expect(conversation.getState().readMarks.client.read_id).toBeLessThan(answer.id);

  const before = reads.length;
  world.cutAll();
  await world.advance(10_000);
  expect(operator.getState().connection.status).toBe('online');
  expect(conversation.getState().readMarks.client).toEqual({ delivered_id: answer.id, read_id: answer.id });
  expect(reads.length - before).toBe(1);
  operator.destroy();
});
