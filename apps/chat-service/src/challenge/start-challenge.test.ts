import { challengeSchema } from '@chat-realtime/protocol';
import { solved } from '@chat-realtime/testkit';
import { sql } from 'kysely';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { type Answer, ChatUnderTest } from '../../test/chat-under-test.ts';
import { solvedChallengeSweep } from './solved-challenges.ts';

const FREE = 2;
const refusalSchema = z.object({ error: z.object({ details: z.object({ challenge: challengeSchema }) }) });

let chat: ChatUnderTest;
beforeAll(async () => {
  chat = await ChatUnderTest.start({ CHALLENGE_AFTER_STARTS: String(FREE) });
});
afterAll(() => chat.stop());

let last = 0;
/** An address from which nobody has started a chat yet. */
const freshAddress = (): string => `198.51.100.${(last += 1)}`;
const begin = (ip: string, body: object = {}): Promise<Answer> => chat.call('POST', '/chat/session', { body, ip });
const challengeOf = (answer: Answer) => {
  expect([answer.status, answer.code]).toEqual([403, 'challenge_required']);
  return refusalSchema.parse(JSON.parse(answer.text)).error.details.challenge;
};
/** The challenge for an address that has started as many chats as it may. */
async function challenged(ip: string) {
  for (let index = 0; index < FREE; index += 1) expect((await begin(ip)).status).toBe(201);
  return challengeOf(await begin(ip));
}
const count = async (): Promise<number> => {
  const { rows } = await sql<{ n: number }>`SELECT count(*)::integer AS n FROM chat_session`.execute(
    chat.database.kysely,
  );
  return rows[0]?.n ?? 0;
};

describe('[RATE21] a visitor who starts many chats', () => {
  it('solves a challenge for each further one', async () => {
    const ip = freshAddress();
    const solution = solved(await challenged(ip));
    const begun = await begin(ip, {
      challenge_solution: solution,
      message: { body: 'hello', client_message_id: randomUUID() },
    });
    expect(begun.status).toBe(201);
    challengeOf(await begin(ip));
    expect((await begin(freshAddress())).status).toBe(201);
  });

  it('shares their address with the whole IPv6 /64', async () => {
    await challenged('2001:db8:1:2::1');
    challengeOf(await begin('2001:db8:1:2:ffff::9'));
    expect((await begin('2001:db8:1:3::1')).status).toBe(201);
  });

  it('starts one chat with one solution, even with two concurrent requests', async () => {
    const ip = freshAddress();
    const solution = solved(await challenged(ip));
    const before = await count();
    const answers = await Promise.all([1, 2, 3].map(() => begin(ip, { challenge_solution: solution })));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 403, 403]);
    for (const answer of answers.filter(({ status }) => status === 403)) challengeOf(answer);
    expect(await count()).toBe(before + 1);
  });

  it('gets the existing chat when they repeat a request', async () => {
    const ip = freshAddress();
    const body = { resume_key: 'k'.repeat(43), challenge_solution: solved(await challenged(ip)) };
    const first = JSON.parse((await begin(ip, body)).text);
    const again = await begin(ip, body);
    expect([again.status, JSON.parse(again.text).session.id]).toEqual([200, first.session.id]);
  });

  it('is refused with a wrong or forged solution, and nothing is stored', async () => {
    const ip = freshAddress();
    const challenge = await challenged(ip);
    const solution = JSON.parse(Buffer.from(solved(challenge), 'base64').toString());
    const before = await count();
    const pack = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64');
    const wrong: Record<string, unknown> = {
      'not base64': '%%%',
      'not an object': pack(7),
      'another number': pack({ ...solution, number: solution.number === 0 ? 1 : 0 }),
      'a number that is none': pack({ ...solution, number: '1' }),
      'another salt': pack({ ...solution, salt: solution.salt.replace(/expires=\d+/, 'expires=9999999999') }),
      'another signature': pack({ ...solution, signature: 'f'.repeat(64) }),
      'another algorithm': pack({ ...solution, algorithm: 'SHA-1' }),
    };
    for (const [what, challenge_solution] of Object.entries(wrong))
      expect([what, challengeOf(await begin(ip, { challenge_solution })).challenge]).not.toEqual([
        what,
        challenge.challenge,
      ]);
    expect((await begin(ip, { challenge_solution: 'x'.repeat(1_025) })).code).toBe('validation_failed');
    expect(await count()).toBe(before);
  });

  it('is refused if the solution is too late', async () => {
    const ip = freshAddress();
    const challenge_solution = solved(await challenged(ip));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
    try {
      await challenged(ip);
      challengeOf(await begin(ip, { challenge_solution }));
    } finally {
      vi.useRealTimers();
    }
  });

  it('is forgotten after the challenge has expired', async () => {
    const { kysely } = chat.database;
    await kysely
      .insertInto('solved_challenge')
      .values([
        { id: 'old', expires_at: new Date(Date.now() - 120_000) },
        { id: 'new', expires_at: new Date(Date.now() + 60_000) },
      ])
      .execute();
    await solvedChallengeSweep(chat.database).run();
    const left = await kysely.selectFrom('solved_challenge').select('id').where('id', 'in', ['old', 'new']).execute();
    expect(left).toEqual([{ id: 'new' }]);
  });
});
