import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  admin,
  allRefused,
  anna,
  boris,
  type Harness,
  newChat,
  operator,
  Stage,
  story,
  text,
} from '../../test/harness.ts';

const stage = new Stage();
afterAll(() => stage.stop());

describe('access, assignment, notes and revocations on postgres', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await stage.harness();
  });

  it('[SES] a session of another customer is answered as if it did not exist', async () => {
    const { chat } = harness;
    const mine = await newChat(chat);
    const other = await newChat(chat);
    const asCustomer = (id: number) => [
      chat.getSession(mine.customer, id),
      chat.postMessage(mine.customer, id, text('x')),
      chat.history(mine.customer, id, { limit: 1 }),
      chat.events(mine.customer, id, { afterSeq: 0, limit: 1 }),
      chat.markRead(mine.customer, id, 1),
    ];
    expect(await allRefused(asCustomer(other.id))).toEqual(['session_not_found']);
    for (const id of [987_654_321, 2 ** 53 - 1]) {
      const calls = [
        chat.getSession(anna, id),
        chat.postMessage(anna, id, text('x')),
        chat.assign(anna, id),
        chat.close(anna, id),
        chat.notes(anna, id, { limit: 100 }),
        chat.revoke(anna, id),
      ];
      expect(await allRefused(calls)).toEqual(['session_not_found']);
    }
  });

  it('[ASG] for scope assigned, another operator’s session is answered as if it did not exist', async () => {
    const { chat } = harness;
    const scoped = operator('sonja', { scope: 'assigned' });
    const { id } = await newChat(chat, 'hi');
    expect((await chat.getSession(scoped, id)).id).toBe(id);
    await chat.assign(anna, id);
    const calls = [
      chat.getSession(scoped, id),
      chat.postMessage(scoped, id, text('x')),
      chat.history(scoped, id, { limit: 1 }),
      chat.events(scoped, id, { afterSeq: 0, limit: 1 }),
      chat.markRead(scoped, id, 1),
      chat.assign(scoped, id),
      chat.unassign(scoped, id),
      chat.close(scoped, id),
      chat.reopen(scoped, id),
      chat.addNote(scoped, id, 'x'),
      chat.notes(scoped, id, { limit: 100 }),
      chat.revoke(scoped, id),
    ];
    expect(await allRefused(calls)).toEqual(['session_not_found']);
    await chat.staffSeen(scoped);
    await chat.assign(admin, id, 'sonja');
    expect((await chat.getSession(scoped, id)).assigned_user_id).toBe('sonja');
  });

  it('[ASG16] chats are assigned only to known operators', async () => {
    const { chat, database } = harness;
    const { id } = await newChat(chat, 'hi');
    const fields = { details: { fields: [{ path: 'user_id', message: 'no such operator' }] } };
    await expect(chat.assign(anna, id, 'nobody')).rejects.toMatchObject({ code: 'validation_failed', ...fields });
    expect(await chat.findSession(id)).toMatchObject({ status: 'new', lastSeq: 2 });
    const account = {
      login: 'clara',
      name: 'Clara',
      role: 'operator',
      scope: 'all',
      password_hash: '$argon2id$x',
    } as const;
    await database.kysely
      .insertInto('auth_operator')
      .values({ id: 'clara', ...account })
      .execute();
    expect(await chat.assign(admin, id, 'clara')).toMatchObject({
      assigned_user_id: 'clara',
      assigned_user_name: 'Clara',
    });
    await database.kysely.updateTable('auth_operator').set({ active: false }).where('id', '=', 'clara').execute();
    await chat.staffSeen(operator('clara'));
    await chat.unassign(admin, id);
    await expect(chat.assign(admin, id, 'clara')).rejects.toMatchObject({ code: 'validation_failed' });
    await expect(chat.handover(anna, 'clara')).rejects.toMatchObject({ code: 'validation_failed' });
    await chat.assign(admin, id, 'from the site', { vouched: true });
    expect(await chat.findSession(id)).toMatchObject({ status: 'active', assignedUserId: 'from the site' });
  });

  it('[ASG] claim, transfer, unassign, close and reopen publish events; version only increases', async () => {
    const { chat } = harness;
    const { id } = await newChat(chat, 'hi');
    await chat.staffSeen(boris);
    const versions: number[] = [];
    const step = async (work: Promise<{ version: number }>) => versions.push((await work).version);
    await step(chat.assign(anna, id));
    await step(chat.assign(anna, id));
    await expect(chat.assign(boris, id)).rejects.toMatchObject({
      code: 'already_assigned',
      details: { assigned_user_id: 'anna' },
    });
    await step(chat.assign(anna, id, 'boris'));
    expect(await chat.getSession(anna, id)).toMatchObject({ assigned_user_id: 'boris', assigned_user_name: 'BORIS' });
    await step(chat.unassign(admin, id));
    await step(chat.close(anna, id));
    await step(chat.reopen(anna, id));
    expect(versions).toEqual([...versions].sort((a, b) => a - b));
    expect(versions[1]).toBe(versions[0]);
    expect(await story(chat, id)).toEqual([
      'chat.session.created',
      'client:hi',
      'assigned:anna',
      'new>active:operator',
      'assigned:boris',
      'assigned:null',
      'active>new:operator',
      'new>closed:operator',
      'closed>new:operator',
    ]);
  });

  it('[NOTE] notes have no seq and are visible only to staff', async () => {
    const { chat } = harness;
    const { id, customer } = await newChat(chat, 'hi');
    const note = await chat.addNote(anna, id, 'difficult');
    expect(await chat.notes(boris, id, { limit: 100 })).toEqual({ notes: [note], has_more: false });
    expect((await chat.getSession(customer, id)).last_seq).toBe(2);
    expect(JSON.stringify(await chat.events(customer, id, { afterSeq: 0, limit: 9 }))).not.toContain('difficult');
  });

  it('[REV] a revocation is stored with the session, listed after a head and announced', async () => {
    const { chat, publisher } = harness;
    const { id } = await newChat(chat);
    const place = await chat.revocations({ epoch: null, id: 0 });
    await chat.revoke(anna, id);
    await chat.revokeStaff('staff', 'mallory');
    const after = await chat.revocations(place);
    expect(after.revocations.map(({ kind: what, subject }) => [what, subject])).toEqual([
      ['session', String(id)],
      ['staff', 'mallory'],
    ]);
    expect(after.id).toBe(after.revocations[1]?.id);
    expect((await chat.findSession(id))?.revokedAt).toBe(after.revocations[0]?.not_after);
    expect(publisher.ephemerals).toContainEqual({ v: 1, type: 'control.revoked', data: after.revocations[0] });
  });
});
