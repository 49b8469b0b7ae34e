import { createServer, type Server } from 'node:net';

/**
 * Ports are handed out from blocks below 32768 (above begin the kernel's own outgoing ports). A process owns a block
 * as long as it listens on the block's first port: parallel test workers can never be given the same port, and a
 * crashed one frees its block without any file to clean up.
 */
const FIRST = 20_000;
const BLOCK = 50;
const BLOCKS = 250;

interface Block {
  owner: Server;
  next: number;
  end: number;
}

let block: Promise<Block> | null = null;

function listen(port: number): Promise<Server | null> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(null);
      else reject(error);
    });
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      server.unref();
      resolve(server);
    });
  });
}

async function claimBlock(): Promise<Block> {
  const start = Math.floor(Math.random() * BLOCKS);
  for (let step = 0; step < BLOCKS; step += 1) {
    const port = FIRST + ((start + step) % BLOCKS) * BLOCK;
    const owner = await listen(port);
    if (owner !== null) return { owner, next: port + 1, end: port + BLOCK };
  }
  throw new Error(`no free block of ports between ${FIRST} and ${FIRST + BLOCK * BLOCKS}`);
}

/** A port on loopback that nothing listens on and that no other test process will be given while this one lives. */
export async function freePort(): Promise<number> {
  for (;;) {
    block ??= claimBlock();
    const current = await block;
    if (current.next >= current.end) {
      // The owner keeps listening: the ports given out of this block are still ours.
      block = null;
      continue;
    }
    const port = current.next;
    current.next += 1;
    const probe = await listen(port);
    if (probe === null) continue;
    await new Promise<void>((resolve) => probe.close(() => resolve()));
    return port;
  }
}
