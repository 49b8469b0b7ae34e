import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { Probe } from '../testing/probe.ts';

/** More than Node's own backlog of 511; each connection takes two descriptors of this process. */
const CLIENTS = 900;
const ESTABLISHED = '01';

let probe: Probe;
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await probe.app.close();
});

/** Connections that the kernel has established to this port of 127.0.0.1, accepted or not. */
function establishedTo(port: number): number {
  const remote = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'latin1')
    .split('\n')
    .map((line) => line.trim().split(/\s+/));
  return rows.filter(([, , to, state]) => to === remote && state === ESTABLISHED).length;
}

it('[OPS40] thousands of connections at once wait to be accepted: none is dropped and retried after a second', async () => {
  probe = await Probe.start();
  const port = Number(new URL(probe.base).port);
  // In one turn of the event loop: nothing is accepted meanwhile, so all of them are in the kernel's queue.
  for (let n = 0; n < CLIENTS; n += 1) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    sockets.push(socket);
  }
  await new Promise((resolve) => process.nextTick(resolve));
  expect(establishedTo(port)).toBe(CLIENTS);
});
