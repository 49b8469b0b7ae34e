import { describe, expect, it } from 'vitest';
import { Simulation } from './testing/simulation.ts';

const ACTIONS = 150;
const STEPS = Number(process.env['SIMULATION_STEPS'] ?? '100000');
/** The same each time, so that a change is judged by itself; others by the variable. A failure names its seed. */
const FIRST_SEED = Number(process.env['SIMULATION_SEED'] ?? '20786000');

describe('the core of the gateway in virtual time', () => {
  it(`[RES2] [RES5] [RES6] [STF3] [STF5] shows everybody everything once and in order, whatever fails (seeds from ${FIRST_SEED})`, async () => {
    let steps = 0;
    let seed = FIRST_SEED;
    for (; steps < STEPS; seed += 1) {
      const result = await new Simulation(seed).run(ACTIONS);
      steps += result.steps;
      expect({ seed, problems: result.problems, log: result.problems.length > 0 ? result.log : [] }).toEqual({
        seed,
        problems: [],
        log: [],
      });
    }
    console.log(`simulated ${steps} steps with seeds ${FIRST_SEED} to ${seed - 1}`);
  }, 300_000);
});
