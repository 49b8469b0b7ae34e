import { randomUUID } from 'node:crypto';
import { quickRepliesResponseSchema, quickReplySchema } from '@chat-realtime/protocol';
import type { HttpAnswer, Staff } from '@chat-realtime/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { useChat } from '../../support/chat.ts';
import { expectError, fieldPaths } from '../../support/expect-error.ts';

const chat = await useChat('main');
const path = '/chat/quick-replies';
/** In every shortcut here, so that what others keep stays out of the way. */
const mark = `qr${randomUUID().slice(0, 8)}`;
const made: number[] = [];
let anna: Staff;
let boris: Staff;
beforeAll(async () => {
  [anna, boris] = [await chat.staff('anna'), await chat.staff('boris')];
});
afterAll(async () => {
  for (const id of made) await anna.request('DELETE', `${path}/${id}`);
});

const send = (json: unknown, staff = anna): Promise<HttpAnswer> => staff.request('POST', path, { json });
async function add(shortcut: string, text = 'Hello, {{name}}!') {
  const reply = (await send({ shortcut: `${mark}${shortcut}`, title: 'Title', text })).as(quickReplySchema, 201);
  made.push(reply.id);
  return reply;
}
async function list(staff: Staff) {
  const answer = await staff.request('GET', path);
  return answer.as(quickRepliesResponseSchema).quick_replies.filter((reply) => made.includes(reply.id));
}

describe('quick replies', () => {
  test('[QR1] [QR2] [QR5] are shared, sorted and kept as written', async () => {
    const text = 'Здравствуйте, {{name}}!\n— {{operator}}, {{site}} <b>&amp;';
    const [second, first] = [await add('-Б', text), await add('-а')];
    expect(second).toEqual({
      id: expect.any(Number),
      shortcut: `${mark}-Б`,
      title: 'Title',
      text,
      updated_at: expect.any(String),
      updated_by: anna.userId,
    });
    expect(await list(boris)).toEqual([first, second]);
  });

  test.each([
    ['shortcut', { shortcut: 'a b' }],
    ['shortcut', { shortcut: '' }],
    ['shortcut', { shortcut: 'x'.repeat(33) }],
    ['shortcut', { shortcut: 7 }],
    ['title', { title: ' ' }],
    ['title', { title: 'x'.repeat(81) }],
    ['text', { text: '' }],
    ['text', { text: 'x'.repeat(4_001) }],
    ['text', { text: 'a\u0000' }],
    ['text', { text: undefined }],
  ])('[QR2] [ERR4] a bad %s is 422 and named: %j', async (field, bad) => {
    const error = expectError(
      await send({ shortcut: `${mark}bad`, title: 't', text: 'x', ...bad }),
      'validation_failed',
    );
    expect(fieldPaths(error)).toEqual([field]);
  });

  test('[ERR3] [ERR7] an invalid body and one that is too large are refused', async () => {
    const headers = { 'Content-Type': 'application/json' };
    for (const raw of ['{', '', '[]', 'null', '"x"'])
      expectError(await anna.request('POST', path, { raw, headers }), 'malformed_request', 'validation_failed');
    expectError(await send({ shortcut: 'x', title: 't', text: 'x'.repeat(300_000) }), 'payload_too_large');
    expectError(
      await anna.request('POST', path, { raw: 'x', headers: { 'Content-Type': 'text/plain' } }),
      'unsupported_media_type',
    );
  });

  test('[QR3] a shortcut is unique, whatever its case, also in a race', async () => {
    const { id } = await add('-Привет');
    const error = expectError(
      await send({ shortcut: `${mark}-ПРИВЕТ`, title: 't', text: 'x' }, boris),
      'shortcut_taken',
    );
    expect(error.details).toEqual({ id });
    const answers = await Promise.all(
      ['Race', 'race', 'RACE'].map((shortcut) => send({ shortcut: `${mark}${shortcut}`, title: 't', text: 'x' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    for (const answer of answers) if (answer.status === 201) made.push(answer.as(quickReplySchema, 201).id);
    const other = await add('-other');
    expectError(
      await boris.request('PATCH', `${path}/${other.id}`, { json: { shortcut: `${mark}-привет` } }),
      'shortcut_taken',
    );
  });

  test('[QR4] can be changed in part and deleted once', async () => {
    const before = await add('-part');
    const one = `${path}/${before.id}`;
    const after = (await boris.request('PATCH', one, { json: { title: 'Новый' } })).as(quickReplySchema);
    expect(after).toEqual({ ...before, title: 'Новый', updated_by: boris.userId, updated_at: after.updated_at });
    expect((await anna.request('PATCH', one, { json: { title: 'Новый' } })).as(quickReplySchema)).toEqual(after);
    expectError(await anna.request('PATCH', one, { json: { shortcut: '/x' } }), 'validation_failed');
    expect((await anna.request('DELETE', one)).status).toBe(204);
    for (const id of [before.id, '0', 'x', '1.5', '9007199254740992']) {
      expectError(await anna.request('DELETE', `${path}/${id}`), 'quick_reply_not_found');
      expectError(await anna.request('PATCH', `${path}/${id}`, { json: {} }), 'quick_reply_not_found');
    }
    expect((await list(anna)).map(({ id }) => id)).not.toContain(before.id);
  });

  test('[QR1] [ORI5] [ERR12] nobody else can write them', async () => {
    const headers = { Origin: 'https://evil.example' };
    for (const [method, target] of [
      ['POST', path],
      ['PATCH', `${path}/1`],
      ['DELETE', `${path}/1`],
    ] as const)
      expectError(await anna.request(method, target, { json: {}, headers }), 'origin_not_allowed');
    expectError(await anna.request('PUT', path, { json: {} }), 'method_not_allowed', 'not_found');
    expectError(await anna.request('GET', `${path}/1`), 'method_not_allowed', 'not_found');
  });
});
