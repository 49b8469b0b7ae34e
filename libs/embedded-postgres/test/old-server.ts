import { join } from 'node:path';
import { newAddress } from '../src/address.ts';
import { dataArgument, programEnv } from '../src/cluster.ts';
import { DATABASE, provideDatabase } from '../src/database-of-cluster.ts';
import { ServerProcess, untilReady } from '../src/server-process.ts';
import { serviceUser } from '../src/service-user.ts';
import { settingsForReading } from '../src/settings.ts';

/** Runs a server of another version over the data of that version, as the chat of then did, while `work` uses it. */
export async function serveOld(
  folder: string,
  major: number,
  programs: string,
  work: (url: string) => Promise<void>,
): Promise<void> {
  const data = join(folder, `postgres-${major}`);
  const user = await serviceUser();
  const address = await newAddress({ data, password: 'of-before' });
  const server = new ServerProcess({
    command: join(programs, 'bin/postgres'),
    args: ['-D', dataArgument(data, user), ...settingsForReading(address.settings)],
    cwd: data,
    env: programEnv(),
    user,
    onLine: () => undefined,
  });
  try {
    await untilReady(server, data);
    await provideDatabase(address.url('postgres'));
    await work(address.url(DATABASE));
  } finally {
    await server.stop();
    await address.release();
  }
}
