import { describe, expect, it } from 'vitest';
import { runAdmin } from '../run.ts';

async function probe(env: Readonly<Record<string, string>>, ...args: string[]) {
  const ended = { code: 0, out: '', err: '' };
  ended.code = await runAdmin(['probe', ...args], {
    env,
    write: (text) => void (ended.out += text),
    writeError: (text) => void (ended.err += text),
    readSecret: () => Promise.reject(new Error('nothing is asked')),
  });
  return ended;
}
const NOBODY = { PROBE_URL: 'http://127.0.0.1:1', PROBE_PASSWORD: 'x' };

describe('admin probe', () => {
  it('[OPS38] exits with 1 if nothing could be tested, and says why, as text or JSON', async () => {
    const people = await probe(NOBODY, '--once');
    expect([people.code, people.out]).toEqual([1, expect.stringContaining('nothing could be tried: ')]);
    const programs = await probe(NOBODY, '--once', '--json');
    expect([programs.code, programs.err]).toEqual([1, '']);
    expect(JSON.parse(programs.out)).toEqual({ ok: false, results: [], failure: expect.any(String) });
  });

  it('names the missing settings, and prints its usage', async () => {
    const { code, err } = await probe({}, '--once');
    expect(code).toBe(1);
    for (const name of ['PROBE_URL', 'PROBE_PASSWORD']) expect(err).toContain(name);
    expect(err).not.toMatch(/^\s+at /m);
    expect((await probe(NOBODY, '--twice')).code).toBe(2);
  });
});
