import { type ManagedServer, startRabbit } from '@chat-realtime/testkit';
import { afterAll, beforeAll } from 'vitest';
import { queueChangesSuite } from '../testing/queues-suite.ts';
import { RabbitClients } from '../testing/rabbit-clients.ts';

let server: ManagedServer;
beforeAll(async () => {
  server = await startRabbit({ plugins: ['rabbitmq_consistent_hash_exchange'] });
}, 120_000);
afterAll(() => server.stop());

queueChangesSuite(() => server, new RabbitClients(() => server));
