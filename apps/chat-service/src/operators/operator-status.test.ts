import { sql } from 'kysely';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { admin, anna, boris, type Harness, newChat, operator, Stage, story, text } from '../../test/harness.ts';

const stage = new Stage();
afterAll(() => stage.stop());

describe('own status on postgres', () => {
  let harness: Harness | undefined;
  afterEach(() => harness?.close());

  const present = { gateway_id: 'g', operators: ['anna', 'boris'].map((id) => ({ id, name: null })) };

  it('[OST1] [OST2] [OST5] is sent to every gateway with an increasing version, and only if it changes', async () => {
    harness = await stage.harness();
    const { chat, publisher } = harness;
    expect(await chat.operatorStatus(anna)).toEqual({ status: 'online', since: null });
    expect((await chat.catchup({ sessions: [], limit: 1, presence: present })).operator_statuses).toEqual([]);
    const away = await chat.chooseStatus(anna, 'away');
    expect(away).toEqual({ status: 'away', since: expect.any(String) });
    expect(await chat.chooseStatus(anna, 'away')).toEqual(away);
    // A new name in a token is not a new choice.
    await chat.staffSeen(operator('anna', { name: 'Anna Neu' }));
    expect(await chat.operatorStatus(anna)).toEqual(away);
    const choices = await Promise.all([chat.chooseStatus(anna, 'off'), chat.chooseStatus(boris, 'away')]);
    expect(choices.map(({ status }) => status)).toEqual(['off', 'away']);
    await chat.chooseStatus(boris, 'online');
    const told = publisher.ephemerals.filter(({ type }) => type === 'control.status').map(({ data }) => data);
    expect(told).toHaveLength(4);
    const answer = await chat.catchup({ sessions: [], limit: 1 });
    expect(answer.operator_statuses).toEqual([
      { user_id: 'anna', status: 'off', version: 2 },
      { user_id: 'boris', status: 'online', version: 2 },
    ]);
    for (const last of answer.operator_statuses ?? []) expect(told).toContainEqual(last);
    expect([answer.operators_online, await chat.operatorsOnline()]).toEqual([1, 1]);
  });

  it('[SES12] [OST6] unanswered chats of an operator who is off are returned once; those they still answer stay theirs', async () => {
    harness = await stage.harness({ options: { returnToQueue: 'offline' } });
    const { chat, service, database } = harness;
    const chats = [await newChat(chat, 'rests'), await newChat(chat, 'answered'), await newChat(chat, 'just taken')];
    const [rests, answered, young] = chats.map(({ id }) => id);
    if (rests === undefined || answered === undefined || young === undefined) throw new Error('three chats are needed');
    for (const { id } of chats) await chat.assign(anna, id);
    const { id: ofAway } = await newChat(chat, 'waits for boris');
    await chat.assign(boris, ofAway);
    await chat.catchup({ sessions: [], limit: 1, presence: present });
    await chat.chooseStatus(anna, 'off');
    await chat.chooseStatus(boris, 'away');
    const { kysely } = database;
    await sql`UPDATE chat_operator SET status_since = status_since - interval '301 seconds'`.execute(kysely);
    await sql`UPDATE chat_session SET assigned_at = assigned_at - interval '301 seconds' WHERE id <> ${young}`.execute(
      kysely,
    );
    await chat.postMessage(anna, answered, text('still with you'));
    service.start();
    const statusOf = async (id: number) => (await chat.getSession(admin, id)).status;
    await expect.poll(() => statusOf(rests), { timeout: 10_000 }).toBe('new');
    for (const id of [answered, young, ofAway]) expect(await statusOf(id)).toBe('active');
    const told = await story(chat, rests);
    expect(told.filter((line) => line === 'active>new:idle')).toHaveLength(1);
    expect(told.slice(-2)).toEqual(['assigned:null', 'active>new:idle']);
  });

  it('[OST7] [OST8] a handover that races with transfers by a colleague leaves each chat with one assignee and whole events', async () => {
    harness = await stage.harness();
    const { chat } = harness;
    const ids: number[] = [];
    for (let index = 0; index < 6; index += 1) {
      const { id } = await newChat(chat);
      await chat.assign(anna, id);
      ids.push(id);
    }
    for (const one of [boris, operator('vera')]) await chat.staffSeen(one);
    const [moved] = await Promise.all([
      chat.handover(anna, 'boris'),
      ...ids.slice(0, 3).map((id) => chat.assign(admin, id, 'vera')),
    ]);
    for (const id of ids) {
      const { status, assigned_user_id: owner } = await chat.getSession(admin, id);
      expect([status, ids.indexOf(id) < 3 ? ['vera'] : ['boris']]).toEqual(['active', expect.arrayContaining([owner])]);
      const events = (await chat.events(admin, id, { afterSeq: 0, limit: 100 })).events;
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      const toBoris = events.filter(
        (event) => event.type === 'chat.session.assigned' && event.data.assigned_user_id === 'boris',
      );
      expect(toBoris).toHaveLength(moved.includes(id) ? 1 : 0);
    }
    expect(await chat.handover(anna, 'boris')).toEqual([]);
  });

  it("[OST7] [AUTH26] an administrator of any scope hands over another operator's chats, which is logged", async () => {
    harness = await stage.harness();
    const { chat, database } = harness;
    const ids: number[] = [];
    for (let index = 0; index < 3; index += 1) {
      const { id } = await newChat(chat);
      await chat.assign(anna, id);
      ids.push(id);
    }
    for (const one of [anna, boris]) await chat.staffSeen(one);
    const chief = operator('chief', { role: 'admin', scope: 'own', name: 'Chief' });
    await expect(chat.handover(boris, 'boris', 'anna')).rejects.toMatchObject({ code: 'forbidden' });
    await expect(chat.handover(chief, 'boris', 'nobody')).rejects.toMatchObject({ code: 'validation_failed' });
    expect(await chat.handover(chief, 'anna', 'anna')).toEqual([]);
    expect(await chat.handover(chief, 'boris', 'anna')).toEqual(ids);
    for (const id of ids) {
      expect((await chat.getSession(admin, id)).assigned_user_id).toBe('boris');
      const last = (await chat.events(admin, id, { afterSeq: 0, limit: 100 })).events.at(-1);
      expect(last?.data).toMatchObject({ assigned_user_id: 'boris', by: 'chief' });
    }
    expect(await chat.handover(chief, null, 'boris')).toEqual(ids);
    expect(await chat.handover(chief, null, 'boris')).toEqual([]);
    const log = await database.kysely
      .selectFrom('chat_audit')
      .select(['actor_name', 'action', 'subject', 'details'])
      .orderBy('id')
      .execute();
    const one = { actor_name: 'Chief', action: 'operator.handed_over' };
    expect(log).toEqual([
      { ...one, subject: 'operator:anna', details: { to: expect.any(String), chats: 3 } },
      { ...one, subject: 'operator:boris', details: { to: null, chats: 3 } },
    ]);
  });
});
