import { type MariaDbServer, startMariaDb } from '@chat-realtime/testkit';
import { afterAll, beforeAll } from 'vitest';
import { migrationSuite } from '../testing/migration-suite.ts';
import { shapeSuite } from '../testing/shape-suite.ts';

let server: MariaDbServer;
beforeAll(async () => {
  server = await startMariaDb();
});
afterAll(() => server.stop());

shapeSuite('mysql', () => server.createDatabase());
migrationSuite('mysql', () => server.createDatabase());
