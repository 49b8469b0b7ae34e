import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { openDatabase } from './index.ts';

describe('data folder of PGlite', () => {
  it('is refused to a second user with a clear message, and free after a close', async () => {
    const folder = tempFolder('chat-db');
    const db = await openDatabase(`pglite:${folder}`);
    await expect(openDatabase(`pglite:${folder}`)).rejects.toThrow('in use by another process');
    await db.close();
    const again = await openDatabase(`pglite:${folder}`);
    await again.close();
  });

  it('is created anew after a first start that was interrupted, and never otherwise', async () => {
    const folder = tempFolder('chat-db');
    await mkdir(join(folder, 'pgdata'));
    await writeFile(join(folder, 'pgdata', 'PG_VERSION'), 'half of a da');
    await writeFile(join(folder, 'pgdata.unfinished'), '');
    const db = await openDatabase(`pglite:${folder}`);
    await db.kysely.insertInto('chat_operator').values({ id: 'anna', role: 'operator' }).execute();
    expect(await readdir(folder)).not.toContain('pgdata.unfinished');
    await db.close();
    const again = await openDatabase(`pglite:${folder}`);
    expect(await again.kysely.selectFrom('chat_operator').select('id').execute()).toEqual([{ id: 'anna' }]);
    await again.close();
  });
});
