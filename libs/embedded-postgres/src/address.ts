import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { DatabaseStartError, MAX_SOCKET_PATH } from '@chat-realtime/database';
import type { Cluster as WholeCluster } from './cluster.ts';
import { PORT } from './settings.ts';

type Cluster = Pick<WholeCluster, 'data' | 'password'>;

/** How this process reaches the server, and what the server is told about listening. */
export interface Address {
  readonly settings: Readonly<Record<string, string>>;
  url(database: string): string;
  release(): Promise<void>;
}

/** For a server that is to be started. */
export async function newAddress(cluster: Cluster): Promise<Address> {
  return addressAt(cluster, process.platform === 'win32' ? await freePort() : PORT);
}

/** `port`: as the server says it. */
export async function addressAt({ data, password }: Cluster, port: number): Promise<Address> {
  const access = `chat:${password}`;
  if (process.platform === 'win32') {
    return {
      settings: { listen_addresses: '127.0.0.1', port: String(port), unix_socket_directories: '' },
      url: (database) => `postgres://${access}@127.0.0.1:${port}/${database}`,
      release: async () => undefined,
    };
  }
  // The socket lies in the data folder, which nobody else may enter; nothing listens on a port.
  const settings = { listen_addresses: '', port: String(PORT), unix_socket_directories: '.' };
  const url = (place: string) => (database: string) =>
    `postgres://${access}@localhost:${PORT}/${database}?host=${encodeURIComponent(place)}`;
  if (Buffer.byteLength(join(data, `.s.PGSQL.${PORT}`)) <= MAX_SOCKET_PATH)
    return { settings, url: url(data), release: async () => undefined };
  if (process.platform !== 'linux')
    throw new DatabaseStartError(`the path of the data folder is too long (${data}); choose a shorter DATA_DIR`);
  // A long path is reached through the folder's descriptor, which must stay open.
  const handle = await open(data, 'r');
  return { settings, url: url(`/proc/self/fd/${handle.fd}`), release: () => handle.close() };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
