import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runAdmin } from '../run.ts';

const text = (both: number, channelOnly: number) => `# HELP chat_shadow_messages_total x
chat_shadow_messages_total{service="g",seen="both"} ${both}
chat_shadow_messages_total{service="g",seen="channel_only"} ${channelOnly}
chat_shadow_messages_total{service="g",seen="polling_only"} 0
chat_shadow_ahead_seconds_bucket{service="g",le="0"} 0
chat_shadow_ahead_seconds_bucket{service="g",le="2.5"} ${both / 2}
chat_shadow_ahead_seconds_bucket{service="g",le="5"} ${both}
chat_shadow_ahead_seconds_bucket{service="g",le="+Inf"} ${both}
`;
const server = createServer((request, response) => {
  const isKnown = request.headers.authorization === 'Bearer secret-token';
  response.writeHead(isKnown ? 200 : 401).end(request.url === '/a' ? text(10, 0) : text(4, 1));
});
let base: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  base = typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
});
afterAll(() => server.close());

async function report(urls: readonly string[], token = 'secret-token') {
  const out = { text: '', error: '', code: 0 };
  out.code = await runAdmin(['shadow-report', ...urls, '--json'], {
    env: { METRICS_TOKEN: token },
    write: (line) => void (out.text += line),
    writeError: (line) => void (out.error += line),
    readSecret: () => Promise.reject(new Error('nothing is asked')),
  });
  return out;
}

it('adds up the counts of the gateways, and fails if polling and channel differ', async () => {
  const same = await report([`${base}/a`]);
  expect([same.code, JSON.parse(same.text)]).toEqual([
    0,
    { both: 10, channel_only: 0, polling_only: 0, ahead_p50_seconds: 2.5, differences: 0 },
  ]);
  const other = await report([`${base}/a`, `${base}/b`]);
  expect([other.code, JSON.parse(other.text)]).toMatchObject([1, { both: 14, channel_only: 1, differences: 1 }]);
});

it('says which gateways it could not read', async () => {
  expect(await report([`${base}/a`], 'wrong')).toMatchObject({ code: 1, error: expect.stringContaining('401') });
  expect((await report([])).code).toBe(2);
});
