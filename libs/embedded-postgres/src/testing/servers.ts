import { openDatabase } from '@chat-realtime/database';
import { isAlive } from '@chat-realtime/testkit';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../embedded-postgres.ts';
import { hasCode } from '../errors.ts';

/** Servers in this process, ended together after each test. */
export class Servers {
  readonly #running: EmbeddedPostgres[] = [];

  async start(folder: string): Promise<EmbeddedPostgres> {
    const server = await startEmbeddedPostgres(folder);
    this.#running.push(server);
    return server;
  }

  async stop(): Promise<void> {
    for (const server of this.#running.splice(0)) await server.stop();
  }
}

export async function write(url: string, name: string): Promise<void> {
  const database = await openDatabase(url, { durable: true });
  await database.kysely.insertInto('chat_operator').values({ id: name, role: 'operator' }).execute();
  await database.close();
}

export async function names(url: string): Promise<string[]> {
  const database = await openDatabase(url, { durable: true });
  const rows = await database.kysely.selectFrom('chat_operator').select('id').orderBy('id').execute();
  await database.close();
  return rows.map(({ id }) => id);
}

/** Who ended since the list was made, as a child does when its parent is gone, is what was wanted. */
export function kill(pids: readonly number[]): void {
  for (const pid of pids.filter(isAlive)) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if (!hasCode(error, 'ESRCH')) throw error;
    }
  }
}
