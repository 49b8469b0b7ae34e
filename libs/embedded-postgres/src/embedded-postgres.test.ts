import { appendFile, chmod, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { processTree, tempFolder, until } from '@chat-realtime/testkit';
import { afterEach, describe, expect, it } from 'vitest';
import { startEmbeddedPostgres } from './embedded-postgres.ts';
import { kill, names, Servers, write } from './testing/servers.ts';

const servers = new Servers();
afterEach(() => servers.stop());

describe('the embedded PostgreSQL', () => {
  it('[OPS31] keeps what it confirmed through kill -9, whatever its own files say about durability', async () => {
    const folder = tempFolder('embedded');
    const first = await servers.start(folder);
    await write(first.url, 'anna');
    await first.stop();
    await appendFile(
      join(first.data, 'postgresql.conf'),
      '\nfsync = off\nfull_page_writes = off\nsynchronous_commit = off\n',
    );
    const { url, pid } = await servers.start(folder);
    await write(url, 'boris');
    // The same process starts it again …
    kill(processTree(pid ?? 0));
    await until(() => names(url).catch(() => null), { timeoutMs: 30_000, what: 'the server to be back' });
    await write(url, 'vera');
    expect(await names(url)).toEqual(['anna', 'boris', 'vera']);
  });

  it('[OPS33] refuses a second process on its folder', async () => {
    const folder = tempFolder('embedded');
    const { url } = await servers.start(folder);
    await expect(startEmbeddedPostgres(folder)).rejects.toThrow('in use by another process');
    await write(url, 'anna');
  });

  it('[OPS34] runs as a user that is neither root nor shared, in folders that user may not enter, and opens none of them', async () => {
    const above = tempFolder('embedded');
    const folder = join(above, 'closed', 'data');
    await mkdir(folder, { recursive: true });
    await chmod(join(above, 'closed'), 0o700);
    const server = await servers.start(folder);
    const { uid } = await stat(server.data);
    const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
    const isRoot = process.getuid?.() === 0;
    expect(server.runsAs).toBe(isRoot ? 'chat-realtime' : undefined);
    if (isRoot) expect(users.find(([, , id]) => Number(id) === uid)?.[0]).toBe('chat-realtime');
    for (const pid of processTree(server.pid ?? 0)) expect((await stat(`/proc/${pid}`)).uid).toBe(uid);
    expect((await stat(server.data)).mode & 0o777).toBe(0o700);
    for (const path of [above, join(above, 'closed')]) expect((await stat(path)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, 'postgres-password'))).mode & 0o777).toBe(0o600);
  });
});
