import { expect, it } from 'vitest';
import { killStandalone } from '../support/standalone-kill.ts';

it('[OPS31] [MSG2] npm start, killed with its whole process tree under traffic, has every acknowledged message once', async () => {
  const { acknowledged, broken } = await killStandalone(1);
  expect(broken).toEqual([]);
  expect(acknowledged).toBeGreaterThan(20);
}, 180_000);
