import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StaffActor } from '../actors.ts';
import { anna, boris, type Harness, newChat, Stage, text } from '../../test/harness.ts';

const stage = new Stage();
afterAll(() => stage.stop());
const UNKNOWN_FILE = 'AAAAAAAAAAAAAAAAAAAAAA';

describe('posts that change the session on postgres', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await stage.harness();
  });
  const types = async (id: number) =>
    (await harness.chat.events(anna, id, { afterSeq: 0, limit: 100 })).events.map(
      (event) => `${event.seq} ${event.type}`,
    );
  const session = async (id: number) => {
    const { status, assignedUserId, lastSeq, version, waitingSince } = (await harness.chat.findSession(id)) ?? {};
    return { status, assignedUserId, lastSeq, version, waitingSince };
  };

  it('[ASG15] an operator’s first message in an unassigned session claims it', async () => {
    const { chat } = harness;
    const { id } = await newChat(chat, 'hello');
    const { message, seq } = await chat.postMessage(anna, id, text('good day'));
    expect(await types(id)).toEqual([
      '1 chat.session.created',
      '2 chat.message',
      '3 chat.session.assigned',
      '4 chat.session.status',
      '5 chat.message',
    ]);
    expect([seq, message.body]).toEqual([5, 'good day']);
    expect(await session(id)).toMatchObject({ status: 'active', assignedUserId: 'anna', waitingSince: null });
    const { events } = await chat.events(anna, id, { afterSeq: 2, limit: 2 });
    expect(events).toMatchObject([
      { data: { assigned_user_id: 'anna', assigned_user_name: anna.name, by: 'anna' } },
      { data: { status: 'active', previous: 'new', reason: 'operator', by: 'anna' } },
    ]);
  });

  it('[ASG15] a repeated post claims nothing, and an assigned session keeps its assignee', async () => {
    const { chat } = harness;
    const { id } = await newChat(chat, 'hello');
    const post = text('good day');
    await chat.postMessage(anna, id, post);
    await chat.unassign(anna, id);
    expect((await chat.postMessage(anna, id, post)).created).toBe(false);
    expect(await session(id)).toMatchObject({ status: 'new', assignedUserId: null });
    await chat.assign(boris, id);
    await chat.postMessage(anna, id, text('I may help'));
    expect(await session(id)).toMatchObject({ status: 'active', assignedUserId: 'boris' });
  });

  it('[ASG15] of two operators who answer at once one gets the session, and both messages are stored', async () => {
    const { chat } = harness;
    for (let round = 0; round < 5; round += 1) {
      const { id } = await newChat(chat, 'hello');
      await Promise.all([chat.postMessage(anna, id, text('a')), chat.postMessage(boris, id, text('b'))]);
      const seen = await types(id);
      expect(seen.filter((type) => type.endsWith('assigned'))).toHaveLength(1);
      expect(seen.filter((type) => type.endsWith('chat.message'))).toHaveLength(3);
      expect((await session(id)).lastSeq).toBe(6);
    }
  });

  it('[ASG15] an operator of scope assigned claims it as well', async () => {
    const { chat } = harness;
    const scoped: StaffActor = { ...anna, scope: 'assigned' };
    const { id } = await newChat(chat, 'hello');
    await chat.postMessage(scoped, id, text('good day'));
    expect(await session(id)).toMatchObject({ status: 'active', assignedUserId: 'anna' });
  });

  it('[ASG15] CLAIM_ON_REPLY=false leaves it unassigned', async () => {
    const { chat } = await stage.harness({ options: { claimOnReply: false } });
    const { id } = await newChat(chat, 'hello');
    await chat.postMessage(anna, id, text('good day'));
    expect(await chat.findSession(id)).toMatchObject({ status: 'new', assignedUserId: null, lastSeq: 3 });
  });

  it('[MSG16] a refused post changes nothing: a closed session is not reopened, an unassigned one not claimed', async () => {
    const { chat } = harness;
    const closed = await newChat(chat, 'hello');
    await chat.close(anna, closed.id);
    const free = await newChat(chat, 'hello');
    await chat.assign(boris, free.id);
    await chat.unassign(boris, free.id);
    const before = [await session(closed.id), await session(free.id)];
    const bad = { ...text('with a file'), attachments: [UNKNOWN_FILE] };
    const scoped: StaffActor = { ...anna, scope: 'assigned' };
    const refusals = [
      [closed.customer, closed.id, bad, 'validation_failed'],
      [anna, closed.id, text('answer'), 'session_closed'],
      [anna, free.id, bad, 'validation_failed'],
      [scoped, free.id, bad, 'validation_failed'],
      [anna, free.id, { ...text('late'), expectedSeq: 2 }, 'stale'],
      [scoped, free.id, { ...text('late'), expectedSeq: 2 }, 'stale'],
    ] as const;
    for (const [actor, id, post, code] of refusals)
      await expect(chat.postMessage(actor, id, post)).rejects.toMatchObject({ code });
    expect([await session(closed.id), await session(free.id)]).toEqual(before);
  });

  it('[MSG7] [MSG8] a post that races with closing is stored once: it reopens the session or comes before', async () => {
    const { chat } = harness;
    const { id, customer } = await newChat(chat, 'hello');
    await chat.close(anna, id);
    const post = text('again');
    const all = await Promise.all([1, 2, 3].map(() => chat.postMessage(customer, id, post)));
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    expect((await types(id)).slice(-2)).toEqual(['4 chat.session.status', '5 chat.message']);
  });
});
