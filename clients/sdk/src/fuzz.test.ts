import { expect, it } from 'vitest';
import { createChatClient } from './customer/client.ts';
import { fuzz } from './testing/fuzz.ts';

const STEPS = Number(process.env['SDK_FUZZ_STEPS'] ?? 20_000);
/** The same for everybody, so that a run tells of the change it tests. New seeds: `SDK_FUZZ_SEED=$RANDOM`, with more steps. */
const SEED = Number(process.env['SDK_FUZZ_SEED'] ?? 20_261_123);
const STEPS_PER_RUN = 60;

it(
  `[RES1] [RES5] converges to the server's history over ${STEPS} steps of a bad network, seed ${SEED}`,
  async () => {
    let steps = 0;
    let events = 0;
    for (let run = 0; steps < STEPS; run += 1) {
      const result = await fuzz(createChatClient, SEED + run, STEPS_PER_RUN);
      steps += result.steps;
      events += result.events;
      expect(result.problems, `SDK_FUZZ_SEED=${SEED + run} SDK_FUZZ_STEPS=1\n${result.log.join(' ')}`).toEqual([]);
    }
    console.log(`fuzz: seed ${SEED}, ${steps} steps, ${events} events shown`);
  },
  Math.max(120_000, STEPS * 60),
);

/** Seeds that once found a fault. */
it.each([
  ['shows no message of a retry above a page that begins later', 476_967_382],
  ['shows a text once that a retry stored again after a restore', 477_901_183],
  ['shows what the restored database gave an id to, not what had it before', 3_000_004],
  ['shows a chat that another tab began while this one was frozen', 1_001_726],
])('[RES1] [RES7] %s (seed %i)', async (_what, seed) => {
  const result = await fuzz(createChatClient, seed, STEPS_PER_RUN);
  expect(result.problems).toEqual([]);
});
