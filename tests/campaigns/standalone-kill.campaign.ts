// npm start is killed 20 times with its whole process tree under traffic: nothing acknowledged is lost. About three minutes.
import { expect, it } from 'vitest';
import { killStandalone } from '../support/standalone-kill.ts';

const KILLS = 20;

it('[OPS31] [MSG2] keeps every acknowledged message, once and in order', async () => {
  const { acknowledged, broken, restartMs } = await killStandalone(KILLS);
  const sorted = [...restartMs].sort((a, b) => a - b);
  console.log(
    `${KILLS} kills, ${acknowledged} messages acknowledged, back after ${sorted[KILLS / 2]} ms (median), ${sorted.at(-1)} ms (longest)`,
  );
  expect(broken).toEqual([]);
  expect(acknowledged).toBeGreaterThan(KILLS * 50);
});
