import { quickRepliesResponseSchema, quickReplySchema } from '@chat-realtime/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ChatUnderTest } from '../../test/chat-under-test.ts';

let chat: ChatUnderTest;
let anna: string;
let boris: string;
beforeAll(async () => {
  chat = await ChatUnderTest.start();
  [anna, boris] = await Promise.all([chat.staff('anna'), chat.staff('boris', { scope: 'assigned' })]);
});
afterAll(() => chat.stop());

const path = '/chat/quick-replies';
const add = (token: string, body: object) => chat.call('POST', path, { token, body });
const list = async (token: string) =>
  (await chat.call('GET', path, { token })).as(quickRepliesResponseSchema).quick_replies;

describe('quick replies', () => {
  it('[QR1] [QR2] [QR5] are shared by all operators, sorted by shortcut and stored verbatim', async () => {
    const text = 'Здравствуйте, {{name}}!\n{{operator}}, {{site}}, {{unknown}} <b>';
    const made = await add(anna, { shortcut: 'Привет', title: ' Приветствие ', text, id: 99 });
    expect([made.status, made.as(quickReplySchema)]).toEqual([
      201,
      {
        id: expect.any(Number),
        shortcut: 'Привет',
        title: ' Приветствие ',
        text,
        updated_at: expect.any(String),
        updated_by: 'anna',
      },
    ]);
    for (const shortcut of ['b', 'А', 'a', 'Z', '1'])
      expect((await add(boris, { shortcut, title: 't', text: 'x' })).status).toBe(201);
    expect((await list(boris)).map(({ shortcut }) => shortcut)).toEqual(['1', 'a', 'b', 'Z', 'А', 'Привет']);
    expect(await list(anna)).toEqual(await list(boris));
  });

  it('[QR3] have shortcuts that are unique regardless of case, even when two are saved at once', async () => {
    expect((await add(boris, { shortcut: 'ПРИВЕТ', title: 't', text: 'x' })).code).toBe('shortcut_taken');
    const answers = await Promise.all(
      ['Race', 'race', 'RACE'].map((shortcut) => add(anna, { shortcut, title: 't', text: 'x' })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409, 409]);
    const { id } = (await add(anna, { shortcut: 'other', title: 't', text: 'x' })).as(quickReplySchema);
    const patch = (body: object) => chat.call('PATCH', `${path}/${id}`, { token: boris, body });
    expect((await patch({ shortcut: 'rAcE' })).code).toBe('shortcut_taken');
    expect((await patch({ shortcut: 'OTHER' })).as(quickReplySchema)).toMatchObject({
      shortcut: 'OTHER',
      updated_by: 'boris',
    });
  });

  it('[QR4] may be changed in part by any operator, and deleted once', async () => {
    const before = (await add(anna, { shortcut: 'part', title: 'Title', text: 'Text' })).as(quickReplySchema);
    const one = `${path}/${before.id}`;
    const patch = async (body: object) => (await chat.call('PATCH', one, { token: boris, body })).as(quickReplySchema);
    expect(await patch({})).toEqual(before);
    expect(await patch({ title: 'Title', text: 'Text' })).toEqual(before);
    const after = await patch({ text: 'New' });
    expect(after).toEqual({ ...before, text: 'New', updated_by: 'boris', updated_at: after.updated_at });
    expect(after.updated_at >= before.updated_at).toBe(true);
    expect((await chat.call('PATCH', one, { token: boris, body: { text: ' ' } })).status).toBe(422);
    const removed = await chat.call('DELETE', one, { token: boris });
    expect([removed.status, removed.text]).toEqual([204, '']);
    for (const method of ['DELETE', 'PATCH'] as const) {
      const call = method === 'PATCH' ? { token: anna, body: { text: 'x' } } : { token: anna };
      for (const id of [before.id, 'x', '0', '-1', '9007199254740992'])
        expect([id, (await chat.call(method, `${path}/${id}`, call)).code]).toEqual([id, 'quick_reply_not_found']);
    }
  });

  it('[QR6] are at most 500, even when two add the last one at once', async () => {
    const { length } = await list(anna);
    await chat.database.kysely
      .insertInto('quick_reply')
      .values(
        Array.from({ length: 499 - length }, (_, index) => ({
          shortcut: `n${index}`,
          shortcut_key: `n${index}`,
          title: 't',
          text: 'x',
          updated_by: 'anna',
        })),
      )
      .execute();
    const answers = await Promise.all(
      ['last1', 'last2'].map((shortcut) => add(anna, { shortcut, title: 't', text: 'x' })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 422]);
    expect(answers.find(({ status }) => status === 422)?.code).toBe('validation_failed');
    expect(await list(anna)).toHaveLength(500);
  });
});
