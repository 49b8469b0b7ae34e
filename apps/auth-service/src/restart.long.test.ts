import { openDatabase } from '@chat-realtime/database';
import { createLogger, createMetrics, loadConfig } from '@chat-realtime/service-kit';
import { startPostgres } from '@chat-realtime/testkit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createAuthService } from './auth-service.ts';
import { authVariables } from './config.ts';
import { seedOperators } from './seed.ts';

const PASSWORD = 'correct horse battery staple';

describe('a restart of PostgreSQL', () => {
  it('[OPS10] ends no sign-in, and auth-service recovers on its own', async () => {
    const server = await startPostgres();
    const database = await openDatabase(server.url);
    const service = await createAuthService({
      database,
      config: loadConfig(z.object(authVariables), {}),
      logger: createLogger({ service: 'auth-service', level: 'silent' }),
      metrics: createMetrics('auth-service'),
    });
    service.start();
    await seedOperators(service, PASSWORD);
    const { refresh_token } = await service.login('anna', PASSWORD, '127.0.0.1');
    await server.kill();
    await expect(service.login('anna', PASSWORD, '127.0.0.1')).rejects.toThrow();
    await server.restart();
    await expect.poll(() => database.ping().then(() => 'up'), { timeout: 60_000 }).toBe('up');
    expect((await service.refresh(refresh_token)).user.login).toBe('anna');
    expect((await service.login('anna', PASSWORD, '127.0.0.1')).user.login).toBe('anna');
    service.stop();
    await database.close();
    await server.stop();
  });
});
