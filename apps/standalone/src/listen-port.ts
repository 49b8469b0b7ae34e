import { createServer } from 'node:net';

export const DEFAULT_PORT = 8080;
const TRIES = 50;

/** One that nobody has at this moment: addresses are printed and configured before anything listens. */
function anyFree(host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen({ host, port: 0 }, () => {
      const address = probe.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      probe.close(() => resolve(port));
    });
  });
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

export interface ListenPort {
  readonly port: number;
  /** The default port is taken: the caller prints the actual address. */
  readonly moved: boolean;
}

/** An explicit port is taken as it is, 0 means any free one; without one the first free port from 8080 on. */
export async function chooseListenPort(host: string, explicit: number | undefined): Promise<ListenPort> {
  if (explicit === 0) return { port: await anyFree(host), moved: false };
  if (explicit !== undefined) return { port: explicit, moved: false };
  for (let port = DEFAULT_PORT; port < DEFAULT_PORT + TRIES; port += 1) {
    if (await isFree(host, port)) return { port, moved: port !== DEFAULT_PORT };
  }
  throw new Error(`no free port between ${DEFAULT_PORT} and ${DEFAULT_PORT + TRIES - 1}; set PORT`);
}
