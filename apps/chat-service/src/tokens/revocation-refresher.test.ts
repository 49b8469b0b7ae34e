import { RevocationSet } from '@chat-realtime/verifier';
import { expect, it } from 'vitest';
import { RevocationRefresher } from './revocation-refresher.ts';

it('[OPS10] retries at start while the database does not answer, and first reads what is revoked', async () => {
  const answers = [new Error('timeout exceeded when trying to connect'), new Error('the connection was reset')];
  const revoked = { id: 1, kind: 'session', subject: '7', not_after: Math.floor(Date.now() / 1_000) } as const;
  const told: string[] = [];
  const set = new RevocationSet();
  const revocations = async () => {
    const failure = answers.shift();
    if (failure !== undefined) throw failure;
    return { epoch: 'a', id: 1, revocations: [revoked], hasMore: false };
  };
  const refresher = new RevocationRefresher({ revocations }, set, { warn: (_, message) => told.push(message) });
  await refresher.start();
  expect(set.size).toBe(1);
  expect(told).toHaveLength(1);
  await refresher.stop();
});
