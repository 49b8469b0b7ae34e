import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { databaseSuite } from '../test/database-suite.ts';

// The engine of 0.1.0, for the import of its folders; long, since each start takes seconds.
databaseSuite('pglite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chat-db-'));
  return { url: `pglite:${folder}`, remove: () => rm(folder, { recursive: true, force: true }) };
});
