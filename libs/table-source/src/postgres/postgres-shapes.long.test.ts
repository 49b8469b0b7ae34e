import { type PostgresServer, startPostgres } from '@chat-realtime/testkit';
import { afterAll, beforeAll } from 'vitest';
import { shapeSuite } from '../testing/shape-suite.ts';

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

shapeSuite('postgresql', () => server.createDatabase());
