import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { begun, run } from '../../test/running.ts';
import { type Challenge, solveChallenge } from './challenge.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const challengeFor = (number: number, maxnumber: number): Challenge => {
  const salt = 'c2FsdA?expires=1762587011&';
  return { algorithm: 'SHA-256', challenge: sha256(`${salt}${number}`), maxnumber, salt, signature: 'signed' };
};
const unpacked = (solution: unknown): unknown => JSON.parse(Buffer.from(String(solution), 'base64').toString());

describe('[RATE21] a challenge', () => {
  it.each([0, 1, 4_321, 5_000])('is solved by finding %i', async (number) => {
    const { maxnumber, ...challenge } = challengeFor(number, 5_000);
    expect(unpacked(await solveChallenge({ ...challenge, maxnumber }))).toEqual({ ...challenge, number });
  });

  it('lets the page continue meanwhile', async () => {
    let tasks = 0;
    const timer = setInterval(() => (tasks += 1));
    await solveChallenge(challengeFor(99_999, 100_000));
    clearInterval(timer);
    expect(tasks).toBeGreaterThan(2);
  });

  it('is solved by a client that starts a chat, which then continues as usual', async () => {
    const { world, client } = run();
    const starts: Record<string, unknown>[] = [];
    world.server.hooks.onRequest = ({ method, path, body }) => {
      if (method !== 'POST' || path !== '/chat/session') return undefined;
      starts.push(body);
      if (starts.length > 1) return undefined;
      const error = {
        code: 'challenge_required',
        message: '',
        request_id: '1',
        details: { challenge: challengeFor(77, 100) },
      };
      return { status: 403, body: { error } };
    };
    const sent = client.send('question');
    await expect.poll(async () => (await world.advance(10), starts.length)).toBe(2);
    await world.advance(1_000);
    await sent.stored;
    const [first, second] = starts;
    expect(first).not.toHaveProperty('challenge_solution');
    expect(unpacked(second?.['challenge_solution'])).toMatchObject({ number: 77, signature: 'signed' });
    expect(second?.['resume_key']).toBe(first?.['resume_key']);
    expect(client.getState().messages.map(({ body }) => body)).toEqual(['question']);
  });

  it('that is demanded again after a solution is reported as the error it is', async () => {
    const { world, client } = run();
    world.server.hooks.onRequest = ({ method, path }) => {
      if (method !== 'POST' || path !== '/chat/session') return undefined;
      const error = {
        code: 'challenge_required',
        message: '',
        request_id: '1',
        details: { challenge: challengeFor(7, 100) },
      };
      return { status: 403, body: { error } };
    };
    const sent = client.send('question');
    const failed = sent.stored.then(
      () => null,
      (error: unknown) => (error as { code: string }).code,
    );
    let code: string | null | undefined;
    void failed.then((value) => (code = value));
    await expect.poll(async () => (await world.advance(10), code)).toBe('challenge_required');
  });
});

it('is not requested if there is none', async () => {
  const { world } = await begun();
  expect(world.server.requests.filter(({ path }) => path === '/chat/session')).toHaveLength(1);
});
