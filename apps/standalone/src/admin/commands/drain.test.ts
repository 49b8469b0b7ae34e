import { createServer, type ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runAdmin } from '../run.ts';

/** The responses of a gateway, in order; `tests/repo/admin-commands.long.test.ts` drains a real one. */
interface Gateway {
  readonly asked: string[];
  left: number[];
  drainSeconds: number;
  status: number;
}
const gateway: Gateway = { asked: [], left: [], drainSeconds: 0, status: 200 };
const KEY = 'k'.repeat(32);
const server = createServer((request, response: ServerResponse) => {
  gateway.asked.push(`${request.method} ${request.url}`);
  if (request.headers.authorization !== `Bearer ${KEY}`) return void response.writeHead(401).end();
  const connections = gateway.left.length > 1 ? (gateway.left.shift() ?? 0) : (gateway.left[0] ?? 0);
  response.writeHead(gateway.status, { 'content-type': 'application/json' });
  const draining = gateway.asked.some((line) => line.startsWith('POST'));
  response.end(JSON.stringify({ draining, connections, drain_seconds: gateway.drainSeconds }));
});
let address: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const at = server.address();
  address = typeof at === 'object' && at !== null ? `http://127.0.0.1:${at.port}` : '';
});
afterAll(() => server.close());
beforeEach(() => {
  Object.assign(gateway, { asked: [], left: [0], drainSeconds: 0, status: 200 });
});

async function drain(args: readonly string[], key: string | undefined = KEY) {
  const ended = { code: 0, out: '', err: '', saidBeforePost: '' };
  ended.code = await runAdmin(['drain', ...args], {
    env: key === '' ? {} : { INTERNAL_API_KEY: key },
    write: (text) => void (ended.out += text),
    writeError: (text) => {
      ended.err += text;
      if (!gateway.asked.some((line) => line.startsWith('POST'))) ended.saidBeforePost += text;
    },
    readSecret: () => Promise.reject(new Error('nothing is asked')),
  });
  return ended;
}

describe('admin drain', () => {
  it('[DRN3] says which connections it will move, counts those that are left, and says when there are none', async () => {
    gateway.left = [3, 3, 1, 0];
    gateway.drainSeconds = 7;
    const { code, out, err, saidBeforePost } = await drain([address]);
    expect(saidBeforePost).toContain(`sending 3 clients of ${address} to the other gateways, over 7 s`);
    expect(gateway.asked.slice(0, 3)).toEqual(['GET /internal/drain', 'POST /internal/drain', 'GET /internal/drain']);
    expect(err).toContain('  1 left\n  0 left\n');
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/^Empty after .* s\. It lets nobody in until it is restarted/),
    ]);
  });

  it('[DRN3] answers with figures only for --json', async () => {
    gateway.left = [2, 0];
    const { code, out, err } = await drain([address, '--json']);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({ gateway: address, sent_away: 2, left: 0, seconds: expect.any(Number) });
  });

  it('reports in one sentence what prevents it, and moves nobody', async () => {
    expect((await drain([address], 'another key')).err).toContain('does not know this INTERNAL_API_KEY');
    expect((await drain([address], '')).err).toContain('INTERNAL_API_KEY is not set');
    gateway.status = 404;
    expect((await drain([address])).err).toContain('answers 404: is it a gateway?');
    expect((await drain([])).code).toBe(2);
    expect((await drain(['not an address'])).code).toBe(2);
    expect(gateway.asked.filter((line) => line.startsWith('POST'))).toEqual([]);
  });
});
