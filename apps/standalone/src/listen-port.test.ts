import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { chooseListenPort, DEFAULT_PORT } from './listen-port.ts';

const HOST = '127.0.0.1';

it('chooses the port itself if any will do, so that the printed addresses are the real ones', async () => {
  const { port, moved } = await chooseListenPort(HOST, 0);
  expect(port).toBeGreaterThan(0);
  expect(moved).toBe(false);
  const server = createServer().listen({ host: HOST, port });
  await once(server, 'listening');
  server.close();
});

it('uses an explicit port without looking for a free one', async () => {
  expect(await chooseListenPort(HOST, 12_345)).toEqual({ port: 12_345, moved: false });
});

it('uses the next free port if the default one is taken, and says so', async () => {
  const others = createServer();
  // Taken by this test, or already by another process.
  const taken = once(others.listen({ host: HOST, port: DEFAULT_PORT }), 'listening').catch(() => undefined);
  await taken;
  const { port, moved } = await chooseListenPort(HOST, undefined);
  expect(port).toBeGreaterThan(DEFAULT_PORT);
  expect(moved).toBe(true);
  others.close();
});
